package adminclient

import (
	"context"
	"net/http"
	"time"
)

// RetentionItem is one kind of thing that a home keeps for a time.
type RetentionItem struct {
	What    string     `json:"what"`
	Setting string     `json:"setting"`
	Days    int        `json:"days"` // for which it is kept; 0 is for ever
	Due     int        `json:"due"`  // how many may be deleted now; in the answer of a run, how many were
	Bytes   int64      `json:"bytes"`
	Next    *time.Time `json:"next"`            // when the next may be deleted; null where there is none
	Error   string     `json:"error,omitempty"` // why it could not be looked at, or deleted
}

// Retention lists what an agent's home keeps for a time, what of it is due to be deleted, and
// what comes next.
func (c *Client) Retention(ctx context.Context) ([]RetentionItem, error) {
	var all []RetentionItem
	err := c.Call(ctx, http.MethodGet, "/panel/retention", nil, &all)
	return all, err
}

// RunRetention deletes what is due now, and lists what that was.
func (c *Client) RunRetention(ctx context.Context) ([]RetentionItem, error) {
	var all []RetentionItem
	err := c.Post(ctx, "/panel/retention/run", nil, &all)
	return all, err
}
