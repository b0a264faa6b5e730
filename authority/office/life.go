package office

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/authority/ledger"
	"github.com/vecctl/vecctl/authority/limit"
)

// Bounds of a round.
const (
	roundSize = 64
	atOnce    = 4 // domains that are checked side by side
	// longest is how long the office sleeps at most: a machine that was asleep, or
	// whose clock was set, is noticed then.
	longest = time.Minute
)

// Run does what time brings until ctx ends: checks domains that wait for their
// proof, tells of terms that end, and hands events on.
func (o *Office) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		o.wake.Wait(ctx, o.Round(ctx))
	}
	return nil
}

// nudge says that there may be something to do.
func (o *Office) nudge() { o.wake.Notify() }

// Round does what is due and returns how long nothing will be.
func (o *Office) Round(ctx context.Context) time.Duration {
	next := longest
	for _, one := range []struct {
		what string
		do   func(context.Context) (time.Time, error)
	}{{"checking domains", o.checkDue}, {"telling of terms that end", o.warnDue}, {"handing events on", o.send}} {
		due, err := one.do(ctx)
		switch {
		case ctx.Err() != nil:
			return longest
		case err != nil:
			o.Log.Error("work of the authority failed", "what", one.what, "error", err)
		case !due.IsZero():
			next = min(next, max(due.Sub(o.Now()), 0))
		}
	}
	return next
}

// checkDue checks the domains whose time has come.
func (o *Office) checkDue(ctx context.Context) (next time.Time, err error) {
	var names []string
	err = o.Ledger.Read(ctx, func(r ledger.Reader) error {
		names, next, err = r.DueChecks(o.Now(), roundSize)
		return err
	})
	if err != nil {
		return next, err
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(atOnce)
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

// warnDue tells of the terms that end within WarnDays, once each. One that has
// ended meanwhile is not worth telling.
func (o *Office) warnDue(ctx context.Context) (next time.Time, err error) {
	var ids []string
	err = o.Ledger.Read(ctx, func(r ledger.Reader) error {
		ids, next, err = r.DueWarnings(o.Now(), roundSize)
		return err
	})
	if err != nil || len(ids) == 0 {
		return next, err
	}
	return next, o.Ledger.Write(ctx, func(w *ledger.Writer) error {
		for _, id := range ids {
			c, _, err := w.Certification(id)
			if err != nil {
				return err
			}
			if c.State != authority.Active || c.WarnAt().After(w.Now) {
				continue // somebody was faster
			}
			w.Warned(c)
			if c.At(w.Now) != authority.Active {
				continue
			}
			e, err := c.ExpiringEvent(w.Now)
			if err != nil {
				return err
			}
			if err := w.Tell(e); err != nil {
				return err
			}
			if err := w.Note(authority.Self, "certification.expiring", subject(c), ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// send hands events on, in order. What cannot be handed on is tried in the next
// round.
func (o *Office) send(ctx context.Context) (time.Time, error) {
	if o.Courier == nil {
		return time.Time{}, nil
	}
	for {
		var waiting []authority.Event
		err := o.Ledger.Read(ctx, func(r ledger.Reader) (err error) { waiting, err = r.Events(roundSize); return err })
		if err != nil || len(waiting) == 0 {
			return time.Time{}, err
		}
		for _, e := range waiting {
			if err := o.Courier.Send(ctx, e); err != nil {
				return time.Time{}, err
			}
			if err := o.Ledger.Write(ctx, func(w *ledger.Writer) error { w.Told(e.Seq); return nil }); err != nil {
				return time.Time{}, err
			}
		}
	}
}

// Admit counts a call of a store against a limit of n in a window that outlives the
// process, or returns how long the store must wait.
func (o *Office) Admit(ctx context.Context, name, store string, n int, window time.Duration) (time.Duration, error) {
	var wait time.Duration
	// Refusals, which may come in any number, write nothing.
	err := o.Ledger.Read(ctx, func(r ledger.Reader) error {
		times, err := r.Times(name, store)
		_, wait = limit.Admit(times, n, window, o.Now())
		return err
	})
	if err != nil || wait > 0 {
		return wait, err
	}
	err = o.Ledger.Write(ctx, func(w *ledger.Writer) error {
		times, err := w.Times(name, store)
		if err != nil {
			return err
		}
		var kept []int64
		if kept, wait = limit.Admit(times, n, window, w.Now); wait > 0 {
			return nil
		}
		return w.PutTimes(name, store, kept)
	})
	return wait, err
}
