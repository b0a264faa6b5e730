package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client"
)

// FailureGroup is what failed for one cause.
type FailureGroup struct {
	Code   string `json:"code"`   // stable: encrypted, damaged, cancelled, ...
	Reason string `json:"reason"` // in words, of the latest one of the group
	Fix    string `json:"mend"`   // what a person can do about it
	Count  int    `json:"count"`
}

// Failures counts what failed in an agent's home by its cause, the largest group
// first; batch restricts it to one.
func (c *Client) Failures(ctx context.Context, batch string) ([]FailureGroup, error) {
	var all []FailureGroup
	q := url.Values{}
	if batch != "" {
		q.Set("batch_id", batch)
	}
	err := c.Call(ctx, http.MethodGet, "/panel/failures?"+q.Encode(), nil, &all)
	return all, err
}

// FailedFor returns a page of the certificates that failed for one cause, newest
// first; 0 is the first page of 15. With after, the UUID of a certificate, the pages begin
// behind that one: so nothing is passed over while others leave the list.
func (c *Client) FailedFor(ctx context.Context, code, after string, page, perPage int) (client.Page[client.Certificate], error) {
	q := url.Values{}
	if after != "" {
		q.Set("after", after)
	}
	if page > 0 {
		q.Set("page", strconv.Itoa(page))
	}
	if perPage > 0 {
		q.Set("per_page", strconv.Itoa(perPage))
	}
	var found client.Page[client.Certificate]
	err := c.Call(ctx, http.MethodGet, "/panel/failures/"+url.PathEscape(code)+"?"+q.Encode(), nil, &found)
	return found, err
}

// Selection names failed certificates: those of UUIDs, else all with a cause, of
// one batch where that is given too.
type Selection struct {
	UUIDs []string `json:"uuids,omitempty"`
	Code  string   `json:"code,omitempty"`
	Batch string   `json:"batch_id,omitempty"`
}

// RetryReport is what became of a retry of many.
type RetryReport struct {
	Retried int       `json:"retried"`
	Refused []Refusal `json:"refused"` // the first hundred
	Others  int       `json:"others"`  // refused besides
}

// Refusal is why a certificate was left as it is.
type Refusal struct {
	UUID    string `json:"uuid"`
	Message string `json:"message"`
}

// RetrySelected sends many failed certificates of an agent's home through
// processing again.
func (c *Client) RetrySelected(ctx context.Context, s Selection) (RetryReport, error) {
	var report RetryReport
	err := c.Post(ctx, "/panel/failures/retry", s, &report)
	return report, err
}
