package admin

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// RetryAll sends all failed certificates, or those of one batch, through
// processing again and returns how many.
func (f *Failures) RetryAll(ctx context.Context, batch string) (int, error) {
	if batch != "" {
		if _, err := f.Store.Batch(ctx, f.Institution(), batch); err != nil {
			return 0, err
		}
	}
	// All of them before any is touched: one that is retried may fail again at once.
	var failed []string
	err := f.eachFailed(ctx, batch, func(c vault.Certificate) bool {
		failed = append(failed, c.UUID)
		return true
	})
	if err != nil {
		return 0, err
	}
	for i, uuid := range failed {
		// Someone else may have retried it meanwhile.
		if err := f.retry(ctx, uuid); err != nil && !fault.Is(err, fault.Illegal) {
			return i, err
		}
		f.Wake()
	}
	return len(failed), nil
}

// maxConcurrentRetries is how many retries gather for one transaction.
const maxConcurrentRetries = 64

// RetrySelected sends many failed certificates through processing again. One that
// has changed meanwhile is left as it is.
func (f *Failures) RetrySelected(ctx context.Context, s adminclient.Selection) (adminclient.RetryReport, error) {
	report := adminclient.RetryReport{Refused: []adminclient.Refusal{}}
	uuids := s.UUIDs
	if len(uuids) == 0 {
		if s.Code == "" {
			return report, fault.New(fault.Invalid, "name the certificates to retry, or a cause")
		}
		err := f.eachFailed(ctx, s.Batch, func(c vault.Certificate) bool {
			if failureCode(c) == s.Code {
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
	work.SetLimit(maxConcurrentRetries)
	for _, uuid := range uuids {
		work.Go(func() error {
			err := f.retry(inside, uuid)
			mu.Lock()
			defer mu.Unlock()
			return recordRetry(&report, uuid, err)
		})
	}
	err := work.Wait()
	f.Wake()
	return report, err
}

func (f *Failures) retry(ctx context.Context, uuid string) error {
	_, err := f.Store.Change(ctx, f.Institution(), uuid, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Retry(vault.ByRetry, f.Now())
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
