package agent

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// mendOf is what a person can do about a cause of failure.
func mendOf(code string) string {
	switch code {
	case "cancelled":
		return "Retry what was cancelled by mistake, or hand the manifest in again."
	case "crashed":
		return "Processing ended the program several times: print the document to a new, plain PDF."
	case "timeout":
		return "Check the document, then retry."
	case "missing_document":
		return "Hand the document in again."
	case "unreadable_code":
		return "Use a page with more room for the code, or a shorter base URL."
	case "internal":
		return "Retry; where it fails again, the agent's log says more."
	}
	return cmp.Or(pdf.Reason(code).Mend(), "Read the reason, mend the document, and retry.")
}

// eachFailed goes through the failed certificates, newest first, until each
// returns false.
func (a *Agent) eachFailed(ctx context.Context, batch string, each func(vault.Certificate) bool) error {
	const group = 1000
	filter := store.Filter{Institution: a.Institution().ID, Status: vault.Failed, Batch: batch}
	for n := 1; ; n++ {
		page, err := a.store.List(ctx, filter, n, group)
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

func codeOf(c vault.Certificate) string {
	if c.Failure == nil {
		return "internal"
	}
	return c.Failure.Code
}

// Failures counts what failed by its cause, the largest group first.
func (a *Agent) Failures(ctx context.Context, batch string) ([]client.FailureGroup, error) {
	groups := []client.FailureGroup{}
	at := map[string]int{}
	err := a.eachFailed(ctx, batch, func(c vault.Certificate) bool {
		code := codeOf(c)
		i, known := at[code]
		if !known {
			i = len(groups)
			at[code] = i
			groups = append(groups, client.FailureGroup{Code: code, Mend: mendOf(code)})
			if c.Failure != nil {
				groups[i].Reason = c.Failure.Reason
			}
		}
		groups[i].Count++
		return true
	})
	slices.SortStableFunc(groups, func(g, h client.FailureGroup) int { return h.Count - g.Count })
	return groups, err
}

// FailedFor returns a page of what failed for one cause, newest first.
func (a *Agent) FailedFor(ctx context.Context, code string, page, perPage int) (client.Page[client.Certificate], error) {
	found := client.Page[client.Certificate]{Data: []client.Certificate{}}
	total, skip := 0, (page-1)*perPage
	err := a.eachFailed(ctx, "", func(c vault.Certificate) bool {
		if codeOf(c) == code {
			if total++; total > skip && len(found.Data) < perPage {
				found.Data = append(found.Data, a.shape(c))
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

// retriesAtOnce is how many retries gather for one transaction.
const retriesAtOnce = 64

// RetrySelected sends many failed certificates through processing again. One that
// has changed meanwhile is left as it is.
func (a *Agent) RetrySelected(ctx context.Context, s client.Selection) (client.RetryReport, error) {
	report := client.RetryReport{Refused: []client.Refusal{}}
	uuids := s.UUIDs
	if len(uuids) == 0 {
		if s.Code == "" {
			return report, fault.New(fault.Invalid, "name the certificates to retry, or a cause")
		}
		err := a.eachFailed(ctx, s.Batch, func(c vault.Certificate) bool {
			if codeOf(c) == s.Code {
				uuids = append(uuids, c.UUID)
			}
			return true
		})
		if err != nil {
			return report, err
		}
	}
	var mu sync.Mutex
	work, inside := errgroup.WithContext(ctx)
	work.SetLimit(retriesAtOnce)
	for _, uuid := range uuids {
		work.Go(func() error {
			err := a.retry(inside, uuid)
			mu.Lock()
			defer mu.Unlock()
			return note(&report, uuid, err)
		})
	}
	err := work.Wait()
	a.wake()
	return report, err
}

func (a *Agent) retry(ctx context.Context, uuid string) error {
	_, err := a.store.Change(ctx, a.Institution().ID, uuid, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Retry(vault.ByRetry, a.Now())
	})
	return err
}

// note counts the end of one retry; an error that is not about the certificate
// comes back.
func note(report *client.RetryReport, uuid string, err error) error {
	const most = 100
	switch {
	case err == nil:
		report.Retried++
	case !fault.Is(err, fault.Illegal) && !fault.Is(err, fault.NotFound):
		return err
	case len(report.Refused) == most:
		report.Others++
	default:
		report.Refused = append(report.Refused, client.Refusal{UUID: uuid, Message: client.NewProblem(err).Message})
	}
	return nil
}
