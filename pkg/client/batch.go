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
	Total   int    `json:"total"` // submitted entries

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
	err := c.Call(ctx, http.MethodGet, "/business/batches?"+q.Encode(), nil, &found)
	return found, err
}
