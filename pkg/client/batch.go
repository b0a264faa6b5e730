package client

import (
	"context"
	"encoding/json"
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
	// Rejected is how many rows of a manifest were refused and not issued since; nil where
	// the server does not say.
	Rejected *int `json:"rejected,omitempty"`

	// The reference's fields; nil and empty where the server does not say.
	ID                    string     `json:"id,omitempty"` // the same as BatchID
	TotalCertificates     *int       `json:"total_certificates,omitempty"`
	ProcessedCertificates *int       `json:"processed_certificates,omitempty"`
	FailedCertificates    *int       `json:"failed_certificates,omitempty"`
	Progress              *int       `json:"progress,omitempty"` // 0 to 100
	TemplateID            string     `json:"template_id,omitempty"`
	CompletionDate        *time.Time `json:"completion_date,omitempty"`
	UpdatedAt             *time.Time `json:"updated_at,omitempty"`
	RequiresSignatures    *bool      `json:"requires_signatures,omitempty"`
	RequiresMySignature   *bool      `json:"requires_my_signature,omitempty"`

	CreatedAt time.Time `json:"created_at,omitzero"`

	// uncounted is set where the server does not say how many are in which state.
	uncounted bool
}

// Counted reports whether Processing, Approved, Failed and Revoked are known.
func (b Batch) Counted() bool { return !b.uncounted }

// RejectedRows is how many rows were refused, 0 where the server does not say.
func (b Batch) RejectedRows() int {
	if b.Rejected == nil {
		return 0
	}
	return *b.Rejected
}

// MarshalJSON leaves out counts that are not known.
func (b Batch) MarshalJSON() ([]byte, error) {
	type plain Batch
	if b.Counted() {
		return json.Marshal(plain(b))
	}
	return json.Marshal(struct {
		plain
		Trigger    *string `json:"trigger_context,omitempty"`
		Processing *int    `json:"processing,omitempty"`
		Approved   *int    `json:"approved,omitempty"`
		Failed     *int    `json:"failed,omitempty"`
		Revoked    *int    `json:"revoked,omitempty"`
	}{plain: plain(b), Failed: b.FailedCertificates})
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
	return readPage(ctx, c, "/business/batches", q, parseBatch)
}
