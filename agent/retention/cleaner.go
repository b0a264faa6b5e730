// Package retention forgets what need not be kept any more, once a day, as the
// operator has decided. What proves something is never among it: certificates and
// their events, their documents, reports, the audit trail.
package retention

import (
	"context"
	"log/slog"
	"time"
)

// Store is the store. Each call forgets up to n records that ended, of those made
// before a moment, in one transaction, and returns how many.
type Store interface {
	DeleteOldDeliveries(ctx context.Context, before time.Time, n int) (int, error)
	DeleteOldInboundEvents(ctx context.Context, before time.Time, n int) (int, error)
	DeleteOldMails(ctx context.Context, before time.Time, n int) (int, error)
}

// Evidence is what was submitted with applications.
type Evidence interface {
	// DeleteOldEvidence removes the evidence of up to n applications that were rejected
	// before a moment, and returns of how many.
	DeleteOldEvidence(ctx context.Context, before time.Time, n int) (int, error)
}

// Limits say how long things are kept; 0 is for ever.
type Limits struct {
	Deliveries time.Duration // of webhooks
	Received   time.Duration // events that others told us
	Mails      time.Duration // their records, and their files where no mail server is set
	Verified   time.Duration // verified PDFs in folders of outcomes, each of which can be made anew
	Refused    time.Duration // what was dropped and refused
	Evidence   time.Duration // files of rejected applications, from the rejection on
}

// Folders are the folders of the home that it looks into.
type Folders struct{ Mail, Verified, Refused string }

// Cleaner forgets.
type Cleaner struct {
	Store    Store
	Limits   Limits
	Folders  Folders
	Evidence Evidence
	Now      func() time.Time
	Log      *slog.Logger
}

// When it looks: soon after the start, but not in commands that run for moments,
// and then once a day. Between two looks it sees to it that a clock that was set, or
// a machine that slept, does not keep it from the next.
const (
	startDelay    = time.Minute
	checkInterval = time.Hour
	day           = 24 * time.Hour
)

// Run forgets until ctx ends.
func (k *Cleaner) Run(ctx context.Context) error {
	timer := time.NewTimer(startDelay)
	defer timer.Stop()
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if now := k.Now(); now.Sub(last) >= day || now.Before(last) {
			last = now
			k.CleanDue(ctx)
		}
		timer.Reset(checkInterval)
	}
}

// batchSize is how many records are forgotten in one transaction.
const batchSize = 1000

// CleanDue forgets what is due now. What fails is logged, and tried again the next day.
func (k *Cleaner) CleanDue(ctx context.Context) {
	now := k.Now()
	for _, one := range []struct {
		what   string
		limit  time.Duration
		forget func(context.Context, time.Time) (int, error)
	}{
		{"deliveries of webhooks", k.Limits.Deliveries, inBatches(k.Store.DeleteOldDeliveries)},
		{"received events", k.Limits.Received, inBatches(k.Store.DeleteOldInboundEvents)},
		{"mails", k.Limits.Mails, inBatches(k.Store.DeleteOldMails)},
		{"files of mails", k.Limits.Mails, inFolder(k.Folders.Mail, removeMails)},
		{"evidence of rejected applications", k.Limits.Evidence, inBatches(k.Evidence.DeleteOldEvidence)},
		{"verified PDFs", k.Limits.Verified, inFolder(k.Folders.Verified, removeOutcomes)},
		{"refused files", k.Limits.Refused, inFolder(k.Folders.Refused, removeRefused)},
	} {
		if one.limit <= 0 || ctx.Err() != nil {
			continue
		}
		n, err := one.forget(ctx, now.Add(-one.limit))
		if err != nil && ctx.Err() == nil {
			k.Log.Error("removing old records failed", "what", one.what, "error", err)
		}
		if n > 0 {
			k.Log.Info("old records were removed", "what", one.what, "number", n)
		}
	}
}

// inBatches forgets records transaction by transaction, so that none is long.
func inBatches(forget func(context.Context, time.Time, int) (int, error)) func(context.Context, time.Time) (int, error) {
	return func(ctx context.Context, before time.Time) (total int, err error) {
		for ctx.Err() == nil {
			n, err := forget(ctx, before, batchSize)
			total += n
			if err != nil || n < batchSize {
				return total, err
			}
		}
		return total, nil
	}
}
