package adminclient

import (
	"context"
	"net/http"
	"net/url"
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

// LateEntries are certificates that entered a log after they were issued.
type LateEntries struct {
	Entered []string       `json:"entered"` // reference IDs, of those that had entered before too
	Refused []RefusedEntry `json:"refused"`
	Next    uint64         `json:"next"` // where to go on; 0: that was all
}

// RefusedEntry is a certificate that cannot enter a log.
type RefusedEntry struct {
	ReferenceID string `json:"reference_id"`
	Reason      string `json:"reason"`
}

// AddIssued enters certificates in the log that were issued before it began, one part of them at a
// time: next is where to go on, 0 to begin.
func (c *Client) AddIssued(ctx context.Context, next uint64) (LateEntries, error) {
	var done LateEntries
	err := c.Post(ctx, "/panel/logs/issued", map[string]uint64{"next": next}, &done)
	return done, err
}

// LogProof returns the proof of a certificate that entered the log after it was issued.
func (c *Client) LogProof(ctx context.Context, name string) (string, error) {
	var found struct {
		Proof string `json:"proof"`
	}
	err := c.Call(ctx, http.MethodGet, "/panel/certificates/"+url.PathEscape(name)+"/log-proof", nil, &found)
	return found.Proof, err
}
