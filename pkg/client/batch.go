package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Batch is what one manifest, bulk request or drop brought in.
type Batch struct {
	BatchID string `json:"batch_id"`
	Name    string `json:"name"`
	Status  string `json:"status"` // processing, paused, cancelled, done
	Trigger string `json:"trigger_context"`
	Total   int    `json:"total"` // entries handed in

	Processing int `json:"processing"`
	Approved   int `json:"approved"`
	Failed     int `json:"failed"`
	Revoked    int `json:"revoked"`

	CreatedAt time.Time `json:"created_at"`
}

// Batches returns a page of batches, newest first; 0 is the first page of 15.
func (c *Client) Batches(ctx context.Context, page, perPage int) (Page[Batch], error) {
	q := url.Values{}
	if page > 0 {
		q.Set("page", strconv.Itoa(page))
	}
	if perPage > 0 {
		q.Set("per_page", strconv.Itoa(perPage))
	}
	var found Page[Batch]
	err := c.call(ctx, http.MethodGet, "/business/batches?"+q.Encode(), nil, &found)
	return found, err
}

// BatchAct is something that staff do to a batch.
type BatchAct string

// The acts that exist.
const (
	PauseBatch  BatchAct = "pause"  // begin nothing more of it
	ResumeBatch BatchAct = "resume" // go on
	CancelBatch BatchAct = "cancel" // end what has not begun
)

// ActOnBatch does something to a batch of an agent's home.
func (c *Client) ActOnBatch(ctx context.Context, id string, act BatchAct) (Batch, error) {
	var b Batch
	err := c.post(ctx, "/panel/batches/"+url.PathEscape(id)+"/"+string(act), struct{}{}, &b)
	return b, err
}
