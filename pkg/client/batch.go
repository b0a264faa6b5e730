package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
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
	return c.batches(ctx, "", page, perPage)
}

func (c *Client) batches(ctx context.Context, status string, page, perPage int) (Page[Batch], error) {
	q := Filter{Status: status, Page: page, PerPage: perPage}.values()
	return readPage(ctx, c, "/business/batches", q, parseBatch)
}

// AllBatches iterates over the batches with a status, newest first; "" is all. Servers have
// their own words for states: this program's are processing, paused, cancelled and done, and it
// knows those of VEC.digital's reference. The iteration ends after an error.
func (c *Client) AllBatches(ctx context.Context, status string) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		seen := map[string]bool{}
		for n := 1; ; n++ {
			page, err := c.batches(ctx, status, n, maxPerPage)
			if err != nil {
				yield(Batch{}, err)
				return
			}
			for _, one := range page.Data {
				if seen[one.BatchID] {
					continue
				}
				if seen[one.BatchID] = true; !yield(one, nil) {
					return
				}
			}
			if len(page.Data) == 0 || !page.HasNext() {
				return
			}
		}
	}
}

// Batch returns a batch. A server that has no call for one is asked for all.
func (c *Client) Batch(ctx context.Context, id string) (Batch, error) {
	one, err := readOne(ctx, c, "/business/batches/"+url.PathEscape(id), parseBatch)
	if !fault.Is(err, fault.NotFound) {
		return one, err
	}
	for b, listErr := range c.AllBatches(ctx, "") {
		if listErr != nil {
			return one, listErr
		}
		if b.BatchID == id {
			return b, nil
		}
	}
	return one, err
}

// NewBatch is a table of which a vault makes certificates with a template. Its headings are those
// of VEC.digital's reference: RecipientsEmail, RecipientsName and, where given, IssueDate as
// DD-MM-YYYY.
type NewBatch struct {
	Name     string
	Template string // its ID
	Table    Document
}

// CreateBatch has a vault make the certificates of a table.
func (c *Client) CreateBatch(ctx context.Context, n NewBatch) (Batch, error) {
	var raw json.RawMessage
	fields := [][2]string{{"name", n.Name}, {"template_id", n.Template}}
	if err := c.form(ctx, "/business/batches", "", formBody{fields, "csv_file", n.Table, nil}, &raw); err != nil {
		return Batch{}, err
	}
	return parseOne(c, raw, parseBatch)
}
