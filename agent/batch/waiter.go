package batch

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// waiter follows the certificates of a run until all are settled, and writes
// each verified PDF out as soon as it is there.
type waiter struct {
	run          *run
	subscription *events.Subscription
	total        int
	done         int
	pending      map[uint64]bool // accepted, not settled
	settledEarly map[uint64]bool // settled before it was known to be accepted, or not ours
	owed         map[uint64]bool // signed, and about to get the level that they are owed
}

// levelPatience is how long a run waits for files to get the level that they are owed, from one
// that got it to the next.
const levelPatience = 20 * time.Second

// add adds certificates, and returns those that have been settled meanwhile.
func (w *waiter) add(group []*intake.RowResult) (ready []uint64) {
	for _, c := range group {
		switch id := c.Certificate.ID; {
		case w.settledEarly[id]:
			delete(w.settledEarly, id)
			ready = append(ready, id)
		case c.Certificate.Status == vault.Processing:
			w.pending[id] = true
		default:
			w.done++
		}
	}
	return ready
}

// match returns the certificates of this run among those that were settled.
func (w *waiter) match(settled []uint64) (ready []uint64) {
	for _, id := range settled {
		if w.pending[id] || w.owed[id] {
			delete(w.pending, id)
			ready = append(ready, id)
		} else {
			w.settledEarly[id] = true
		}
	}
	return ready
}

func (w *waiter) wait(ctx context.Context, accepted <-chan []*intake.RowResult) error {
	w.run.reportProgress("issuing", w.done, w.total)
	patience := time.NewTimer(levelPatience)
	defer patience.Stop()
	for accepted != nil || len(w.pending) > 0 || len(w.owed) > 0 {
		var ready []uint64
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-patience.C:
			// What is owed is reported, and written into the folder when it is there.
			if err := w.giveUpLevels(ctx); err != nil {
				return err
			}
		case group, more := <-accepted:
			if !more {
				accepted = nil
			}
			ready = w.add(group)
		case <-w.subscription.Ready():
			settled, trouble := w.subscription.Take()
			if trouble != nil {
				return trouble
			}
			if len(settled) == 0 {
				if err := w.run.stopIfCancelled(ctx); err != nil {
					return err
				}
			}
			if ready = w.match(settled); len(ready) > 0 {
				patience.Reset(levelPatience)
			}
		}
		if err := w.export(ctx, ready); err != nil {
			return err
		}
	}
	return nil
}

// stopIfCancelled ends the run of a batch that staff cancelled meanwhile.
func (r *run) stopIfCancelled(ctx context.Context) error {
	if r.batch.Digest != r.digest {
		return nil
	}
	b, err := r.Store.Batch(ctx, r.institution.ID, r.batch.ID)
	if err != nil || !b.Cancelled() {
		return err
	}
	return fault.Newf(fault.Illegal, "batch %s was cancelled; submit its manifest again to continue it", b.Name)
}

// export exports the verified PDFs of settled certificates.
func (w *waiter) export(ctx context.Context, ready []uint64) error {
	if len(ready) == 0 {
		return nil
	}
	settled, err := w.run.Store.ByID(ctx, ready...)
	if err != nil {
		return err
	}
	approved := settled[:0]
	done := 0
	for _, c := range settled {
		if w.waitsForLevel(c) {
			continue
		}
		done++
		if c.Status == vault.Approved {
			approved = append(approved, c)
		}
	}
	if err := w.run.export(ctx, approved); err != nil {
		return err
	}
	w.done += done
	w.run.reportProgress("issuing", w.done, w.total)
	return nil
}

// waitsForLevel reports whether a certificate that was settled is about to get the level that it
// is owed. One attempt is waited for; where a time stamp server is gone already, none.
func (w *waiter) waitsForLevel(c vault.Certificate) bool {
	v := c.Verified
	if c.Status != vault.Approved || v == nil || v.LevelOwed == "" || v.TimestampOwed || w.owed[c.ID] {
		delete(w.owed, c.ID)
		return false
	}
	w.owed[c.ID] = true
	return true
}

// giveUpLevels writes the files that did not get their level in time as they are.
func (w *waiter) giveUpLevels(ctx context.Context) error {
	return w.export(ctx, slices.Collect(maps.Keys(w.owed)))
}
