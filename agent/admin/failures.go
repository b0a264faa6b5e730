package admin

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// FailureStore are what is needed of the store.
type FailureStore interface {
	List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error)
	Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error)
	Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error)
}

// Failures are the failed certificates of the institution whose staff is served.
type Failures struct {
	Store       FailureStore
	Institution func() uint32
	ToAPI       func(vault.Certificate) client.Certificate
	Wake        func() // tells that there is work
	Now         func() time.Time
}

// fixFor is what a person can do about a cause of failure.
func fixFor(code string) string {
	switch code {
	case vault.CodeCancelled:
		return "Retry what was cancelled by mistake, or hand the manifest in again."
	case vault.CodeCrashed:
		return "Processing ended the program several times: print the document to a new, plain PDF."
	case vault.CodeTimeout:
		return "Check the document, then retry."
	case vault.CodeMissing:
		return "Hand the document in again."
	case vault.CodeUnreadable:
		return "Use a page with more room for the code, or a shorter base URL."
	case vault.CodeInternal:
		return "Retry; where it fails again, the agent's log says more."
	}
	return cmp.Or(pdf.Reason(code).Remedy(), "Read the reason, mend the document, and retry.")
}

// eachFailed goes through the failed certificates, newest first, until each
// returns false.
func (f *Failures) eachFailed(ctx context.Context, batch string, each func(vault.Certificate) bool) error {
	const group = 1000
	filter := store.Filter{Institution: f.Institution(), Status: vault.Failed, Batch: batch}
	for n := 1; ; n++ {
		page, err := f.Store.List(ctx, filter, n, group)
		if err != nil {
			return err
		}
		for _, c := range page.Certificates {
			if !each(c) {
				return nil
			}
		}
		if len(page.Certificates) < group {
			return nil
		}
	}
}

func failureCode(c vault.Certificate) string {
	if c.Failure == nil {
		return vault.CodeInternal
	}
	return c.Failure.Code
}

// Failures counts what failed by its cause, the largest group first.
func (f *Failures) Failures(ctx context.Context, batch string) ([]adminclient.FailureGroup, error) {
	groups := []adminclient.FailureGroup{}
	at := map[string]int{}
	err := f.eachFailed(ctx, batch, func(c vault.Certificate) bool {
		code := failureCode(c)
		i, known := at[code]
		if !known {
			i = len(groups)
			at[code] = i
			groups = append(groups, adminclient.FailureGroup{Code: code, Fix: fixFor(code)})
			if c.Failure != nil {
				groups[i].Reason = c.Failure.Reason
			}
		}
		groups[i].Count++
		return true
	})
	slices.SortStableFunc(groups, func(g, h adminclient.FailureGroup) int { return h.Count - g.Count })
	return groups, err
}

// FailedFor returns a page of what failed for one cause, newest first.
func (f *Failures) FailedFor(ctx context.Context, code string, page, perPage int) (client.Page[client.Certificate], error) {
	found := client.Page[client.Certificate]{Data: []client.Certificate{}}
	total, skip := 0, (page-1)*perPage
	err := f.eachFailed(ctx, "", func(c vault.Certificate) bool {
		if failureCode(c) == code {
			if total++; total > skip && len(found.Data) < perPage {
				found.Data = append(found.Data, f.ToAPI(c))
			}
		}
		return true
	})
	found.Meta = client.Meta{CurrentPage: page, PerPage: perPage, Total: total, LastPage: max(1, (total+perPage-1)/perPage)}
	if n := len(found.Data); n > 0 {
		from, to := skip+1, skip+n
		found.Meta.From, found.Meta.To = &from, &to
	}
	return found, err
}
