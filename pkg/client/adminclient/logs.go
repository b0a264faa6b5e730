package adminclient

import (
	"context"
	"net/http"
	"time"
)

// LogStatus is a log of issued certificates of an institution.
type LogStatus struct {
	ID         string    `json:"id"`
	Origin     string    `json:"origin"` // the log's name
	Key        string    `json:"key"`    // public
	Size       int64     `json:"size"`   // entries
	Root       string    `json:"root"`   // of the tree, in base64
	CreatedAt  time.Time `json:"created_at"`
	Growing    bool      `json:"growing"`    // new certificates enter it
	Checkpoint string    `json:"checkpoint"` // signed
	URL        string    `json:"url"`
}

// Logs lists the institution's logs of issued certificates, the newest last.
func (c *Client) Logs(ctx context.Context) ([]LogStatus, error) {
	var all []LogStatus
	err := c.Call(ctx, http.MethodGet, "/panel/logs", nil, &all)
	return all, err
}
