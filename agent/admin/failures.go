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
		return "Retry what was cancelled by mistake, or submit the manifest again."
	case vault.CodeCrashed:
		return "Processing ended the program several times: print the document to a new, plain PDF."
	case vault.CodeTimeout:
		return "Check the document, then retry."
	case vault.CodeMissing:
		return "Submit the document again."
	case vault.CodeUnreadable:
		return "Use a page with more room for the code, or a shorter base URL."
	case vault.CodeInternal:
		return "Retry. If it fails again, see the agent's log."
	}
	return cmp.Or(pdf.Reason(code).Remedy(), "Read the reason, correct the document, and retry.")
}

// failed lists the UUIDs of the failed certificates of a batch, of a cause, or of all,
// newest first. It reads on from the last one, so that none is passed over when others
// leave the list.
func (s *Service) failed(ctx context.Context, batch, code string) (uuids []string, err error) {
	const group = 1000
	filter := store.Filter{Institution: s.institutionID(ctx), Status: vault.Failed, Batch: batch, Failure: code}
	for {
		page, err := s.store.List(ctx, filter, 1, group)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Certificates {
			uuids, filter.Below = append(uuids, c.UUID), c.ID
		}
		if len(page.Certificates) < group {
			return uuids, nil
		}
	}
}

// Failures counts what failed by its cause, the largest group first; of groups of one size,
// the one with the newest certificate.
func (s *Service) Failures(ctx context.Context, batch string) ([]adminclient.FailureGroup, error) {
	counts, err := s.store.Failures(ctx, s.institutionID(ctx), batch)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(counts, func(a, b store.FailureCount) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(b.Latest.ID, a.Latest.ID))
	})
	groups := make([]adminclient.FailureGroup, len(counts))
	for i, c := range counts {
		groups[i] = adminclient.FailureGroup{Code: c.Code, Count: c.Count, Fix: fixFor(c.Code)}
		if c.Latest.Failure != nil {
			groups[i].Reason = c.Latest.Failure.Reason
		}
	}
	return groups, nil
}

// FailedFor returns a page of what failed for one cause, newest first. With after, the UUID
// of a certificate, the pages begin behind that one.
func (s *Service) FailedFor(ctx context.Context, code, after string, page, perPage int) (client.Page[client.Certificate], error) {
	filter := store.Filter{Institution: s.institutionID(ctx), Failure: code}
	if after != "" {
		last, err := s.store.Certificate(ctx, s.institutionID(ctx), after)
		if err != nil {
			return client.Page[client.Certificate]{}, err
		}
		filter.Below = last.ID
	}
	listed, err := s.store.List(ctx, filter, page, perPage)
	if err != nil {
		return client.Page[client.Certificate]{}, err
	}
	total, skip := listed.Total, (page-1)*perPage
	found := client.Page[client.Certificate]{
		Data: make([]client.Certificate, len(listed.Certificates)),
		Meta: client.Meta{CurrentPage: page, PerPage: perPage, Total: total, LastPage: max(1, (total+perPage-1)/perPage)},
	}
	for i, c := range listed.Certificates {
		found.Data[i] = s.toAPI(c)
	}
	if n := len(found.Data); n > 0 {
		from, to := skip+1, skip+n
		found.Meta.From, found.Meta.To = &from, &to
	}
	return found, nil
}

// RetryAll sends all failed certificates, or those of one batch, through
// processing again and returns how many.
func (s *Service) RetryAll(ctx context.Context, batch string) (int, error) {
	if batch != "" {
		if _, err := s.store.Batch(ctx, s.institutionID(ctx), batch); err != nil {
			return 0, err
		}
	}
	// All of them before any is retried: one that is retried may fail again at once.
	failed, err := s.failed(ctx, batch, "")
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
		var err error
		if uuids, err = s.failed(ctx, q.Batch, q.Code); err != nil {
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
	_, err := s.store.Change(ctx, s.institutionID(ctx), uuid, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
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
