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
	Cosigned   int64     `json:"cosigned"`          // entries that enough witnesses have cosigned
	Problem    string    `json:"problem,omitempty"` // why nothing is issued into it
}

// Logs lists the institution's logs of issued certificates, the newest last.
func (c *Client) Logs(ctx context.Context) ([]LogStatus, error) {
	var all []LogStatus
	err := c.Call(ctx, http.MethodGet, "/panel/logs", nil, &all)
	return all, err
}

// ContinueLogs records that this home, which was moved, continues its logs.
func (c *Client) ContinueLogs(ctx context.Context) ([]LogStatus, error) {
	var all []LogStatus
	err := c.Call(ctx, http.MethodPost, "/panel/logs/continue", nil, &all)
	return all, err
}

// NewLog begins a new log.
func (c *Client) NewLog(ctx context.Context) ([]LogStatus, error) {
	var all []LogStatus
	err := c.Call(ctx, http.MethodPost, "/panel/logs/new", nil, &all)
	return all, err
}
