package admin

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

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
	return cmp.Or(pdf.Reason(code).Remedy(), "Read the reason, correct the document, and retry.")
}

// eachFailed goes through the failed certificates, newest first, until each
// returns false.
func (s *Service) eachFailed(ctx context.Context, batch string, each func(vault.Certificate) bool) error {
	const group = 1000
	filter := store.Filter{Institution: s.currentID(), Status: vault.Failed, Batch: batch}
	for n := 1; ; n++ {
		page, err := s.store.List(ctx, filter, n, group)
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
func (s *Service) Failures(ctx context.Context, batch string) ([]adminclient.FailureGroup, error) {
	groups := []adminclient.FailureGroup{}
	at := map[string]int{}
	err := s.eachFailed(ctx, batch, func(c vault.Certificate) bool {
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
func (s *Service) FailedFor(ctx context.Context, code string, page, perPage int) (client.Page[client.Certificate], error) {
	found := client.Page[client.Certificate]{Data: []client.Certificate{}}
	total, skip := 0, (page-1)*perPage
	err := s.eachFailed(ctx, "", func(c vault.Certificate) bool {
		if failureCode(c) == code {
			if total++; total > skip && len(found.Data) < perPage {
				found.Data = append(found.Data, s.toAPI(c))
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

// RetryAll sends all failed certificates, or those of one batch, through
// processing again and returns how many.
func (s *Service) RetryAll(ctx context.Context, batch string) (int, error) {
	if batch != "" {
		if _, err := s.store.Batch(ctx, s.currentID(), batch); err != nil {
			return 0, err
		}
	}
	// All of them before any is touched: one that is retried may fail again at once.
	var failed []string
	err := s.eachFailed(ctx, batch, func(c vault.Certificate) bool {
		failed = append(failed, c.UUID)
		return true
	})
	if err != nil {
		return 0, err
	}
	// Someone else may have retried one meanwhile: that is no error.
	report, err := s.retryEach(ctx, failed)
	if err != nil {
		return report.Retried, err
	}
	return len(failed), nil
}

// maxConcurrentRetries is how many retries gather for one transaction.
const maxConcurrentRetries = 64

// RetrySelected sends many failed certificates through processing again. One that
// has changed meanwhile is left as it is.
func (s *Service) RetrySelected(ctx context.Context, q adminclient.Selection) (adminclient.RetryReport, error) {
	report := adminclient.RetryReport{Refused: []adminclient.Refusal{}}
	uuids := q.UUIDs
	if len(uuids) == 0 {
		if q.Code == "" {
			return report, fault.New(fault.Invalid, "name the certificates to retry, or a cause")
		}
		err := s.eachFailed(ctx, q.Batch, func(c vault.Certificate) bool {
			if failureCode(c) == q.Code {
				uuids = append(uuids, c.UUID)
			}
			return true
		})
		if err != nil {
			return report, err
		}
	}
	return s.retryEach(ctx, uuids)
}

// retryEach retries certificates many at a time, so that they share transactions.
func (s *Service) retryEach(ctx context.Context, uuids []string) (adminclient.RetryReport, error) {
	report := adminclient.RetryReport{Refused: []adminclient.Refusal{}}
	var mu sync.Mutex
	work, inside := errgroup.WithContext(ctx)
	work.SetLimit(maxConcurrentRetries)
	for _, uuid := range uuids {
		work.Go(func() error {
			err := s.retry(inside, uuid)
			mu.Lock()
			defer mu.Unlock()
			return recordRetry(&report, uuid, err)
		})
	}
	err := work.Wait()
	s.work.Wake()
	return report, err
}

func (s *Service) retry(ctx context.Context, uuid string) error {
	_, err := s.store.Change(ctx, s.currentID(), uuid, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Retry(vault.ByRetry, s.now())
	})
	return err
}

// recordRetry counts the end of one retry; an error that is not about the certificate
// comes back.
func recordRetry(report *adminclient.RetryReport, uuid string, err error) error {
	const most = 100
	switch {
	case err == nil:
		report.Retried++
	case !fault.Is(err, fault.Illegal) && !fault.Is(err, fault.NotFound):
		return err
	case len(report.Refused) == most:
		report.Others++
	default:
		report.Refused = append(report.Refused, adminclient.Refusal{UUID: uuid, Message: adminclient.NewProblem(err).Message})
	}
	return nil
}
