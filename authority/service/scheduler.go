package service

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/store"
)

// Limits of one round.
const (
	dueBatchSize   = 64
	parallelChecks = 4 // domains that are checked at the same time
	// maxSleep is the longest sleep of the service, so that it notices when the machine was
	// suspended or its clock was set.
	maxSleep = time.Minute
)

// Run does the scheduled work until ctx ends: it checks domains that wait for their proof,
// announces terms that end soon, and sends events.
func (o *Service) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		o.wake.Wait(ctx, o.RunDue(ctx))
	}
	return nil
}

// wakeUp signals that there may be work.
func (o *Service) wakeUp() { o.wake.Notify() }

// RunDue does the work that is due, and returns the time until the next work.
func (o *Service) RunDue(ctx context.Context) time.Duration {
	next := maxSleep
	for _, one := range []struct {
		what string
		do   func(context.Context) (time.Time, error)
	}{{"checking domains", o.checkDue}, {"announcing terms that end", o.warnDue}, {"handing events on", o.sendEvents}} {
		due, err := one.do(ctx)
		switch {
		case ctx.Err() != nil:
			return maxSleep
		case err != nil:
			o.Log.Error("work of the authority failed", "what", one.what, "error", err)
		case !due.IsZero():
			next = min(next, max(due.Sub(o.Now()), 0))
		}
	}
	return next
}

// checkDue checks the domains whose check is due.
func (o *Service) checkDue(ctx context.Context) (next time.Time, err error) {
	var names []string
	err = o.Store.Read(ctx, func(r store.Reader) error {
		names, next, err = r.DueChecks(o.Now(), dueBatchSize)
		return err
	})
	if err != nil {
		return next, err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(parallelChecks)
	for _, name := range names {
		work.Go(func() error {
			d, err := o.CheckDomain(ctx, name)
			if err == nil {
				o.Log.Info("a domain was checked", "domain", d.Name, "proof", string(d.Proof), "checks", d.Checks)
			}
			return err
		})
	}
	return next, work.Wait()
}

// warnDue announces the terms that end within WarnDays, once each. It skips a term that has
// already ended.
func (o *Service) warnDue(ctx context.Context) (next time.Time, err error) {
	var ids []string
	err = o.Store.Read(ctx, func(r store.Reader) error {
		ids, next, err = r.DueWarnings(o.Now(), dueBatchSize)
		return err
	})
	if err != nil || len(ids) == 0 {
		return next, err
	}
	return next, o.Store.Write(ctx, func(w *store.Writer) error {
		for _, id := range ids {
			c, _, err := w.Certification(id)
			if err != nil {
				return err
			}
			if c.State != authority.Active || c.WarnAt().After(w.Now) {
				continue // another call was faster
			}
			w.MarkWarned(c)
			if c.At(w.Now) != authority.Active {
				continue
			}
			e, err := c.ExpiringEvent(w.Now)
			if err != nil {
				return err
			}
			if err := w.QueueEvent(e); err != nil {
				return err
			}
			if err := w.AppendAudit(authority.System, "certification.expiring", subject(c), ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// sendEvents sends events to the sink, in order. A failed event is tried again in the next
// round.
func (o *Service) sendEvents(ctx context.Context) (time.Time, error) {
	if o.Events == nil {
		return time.Time{}, nil
	}
	for {
		var waiting []authority.Event
		err := o.Store.Read(ctx, func(r store.Reader) (err error) { waiting, err = r.Events(dueBatchSize); return err })
		if err != nil || len(waiting) == 0 {
			return time.Time{}, err
		}
		for _, e := range waiting {
			if err := o.Events.Send(ctx, e); err != nil {
				return time.Time{}, err
			}
			if err := o.Store.Write(ctx, func(w *store.Writer) error { w.RemoveEvent(e.Seq); return nil }); err != nil {
				return time.Time{}, err
			}
		}
	}
}

// Admit counts a call of a store against a limit of n in a window that outlives the
// process, or returns how long the store must wait.
func (o *Service) Admit(ctx context.Context, name, slug string, n int, window time.Duration) (time.Duration, error) {
	var wait time.Duration
	// A refused call writes nothing: there may be any number of them.
	err := o.Store.Read(ctx, func(r store.Reader) error {
		times, err := r.CallTimes(name, slug)
		_, wait = AdmitSlidingLog(times, n, window, o.Now())
		return err
	})
	if err != nil || wait > 0 {
		return wait, err
	}
	err = o.Store.Write(ctx, func(w *store.Writer) error {
		times, err := w.CallTimes(name, slug)
		if err != nil {
			return err
		}
		var kept []int64
		if kept, wait = AdmitSlidingLog(times, n, window, w.Now); wait > 0 {
			return nil
		}
		return w.PutCallTimes(name, slug, kept)
	})
	return wait, err
}
