package client

import (
	"context"
	"iter"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// All iterates over the vault certificates that a filter selects, page by page. One that
// moves to the next page while others are added is returned once. The iteration ends after an
// error.
func (c *Client) All(ctx context.Context, f Filter) iter.Seq2[Certificate, error] {
	return func(yield func(Certificate, error) bool) {
		if f.PerPage == 0 {
			f.PerPage = maxPerPage
		}
		seen := map[string]bool{}
		for f.Page = max(f.Page, 1); ; f.Page++ {
			page, err := c.List(ctx, f)
			if err != nil {
				yield(Certificate{}, err)
				return
			}
			for _, one := range page.Data {
				if seen[one.UUID] {
					continue
				}
				if seen[one.UUID] = true; !yield(one, nil) {
					return
				}
			}
			if len(page.Data) == 0 || !page.HasNext() {
				return
			}
		}
	}
}

// Await waits until the processing of a certificate has ended, and returns it: approved,
// failed or revoked. ctx bounds the waiting.
func (c *Client) Await(ctx context.Context, uuid string) (Certificate, error) {
	const first, most = 50 * time.Millisecond, 5 * time.Second
	for pause := first; ; pause = min(2*pause, most) {
		one, err := c.Certificate(ctx, uuid)
		if err != nil || !one.Status.Is(vault.Processing, vault.Pending, vault.InReview) {
			return one, err
		}
		if err := c.retries.sleep(ctx, pause); err != nil {
			return one, err
		}
	}
}
