package storetest

import (
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// filled opens a batch and accepts n certificates into it.
func (f *fixture) filled(n int) (vault.Batch, []vault.Certificate) {
	f.Helper()
	b := f.openBatch(f.batch(f.a, "2026-05-02-batch", f.draft().File.SHA256))
	return b, f.insertMany(f.a, n, func(_ int, d *vault.Draft) { d.Batch = b.ID })
}

func (f *fixture) changeBatch(id string, change func(vault.Batch) (vault.Batch, error)) (vault.Batch, error) {
	f.Helper()
	return f.store.ChangeBatch(f.Context(), f.a, id, change, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Fail(vault.CancelledFailure(), f.now)
	})
}

func (f *fixture) pause(b vault.Batch) (vault.Batch, error)  { return b.Pause(f.now) }
func (f *fixture) cancel(b vault.Batch) (vault.Batch, error) { return b.Cancel(f.now) }

func pausedBatches(f *fixture) {
	b, kept := f.filled(3)
	other := f.insertOne(f.a, f.draft())
	first := f.claim(vault.JobSign, 1)
	if len(first) != 1 || first[0].Certificate != kept[0].ID {
		f.Fatalf("claimed %+v", first)
	}
	paused, err := f.changeBatch(b.ID, f.pause)
	f.check(err)
	if !paused.Paused() || paused.Counts.Processing != 3 {
		f.Errorf("paused as %+v", paused)
	}
	f.wantClaim(10, other)
	late := f.draft()
	late.Batch = b.ID
	f.insertOne(f.a, late)
	if more := f.claim(vault.JobSign, 10); len(more) != 0 {
		f.Errorf("claimed %+v of a paused batch", more)
	}
	if q := f.queues()[vault.JobSign]; q.Waiting != 0 || q.Later != 5 {
		f.Errorf("queue %+v, want all five jobs to be due later", q)
	}
	// The claimed one goes on; released untried, it waits like the others.
	for _, err := range f.complete(store.JobResult{Job: first[0].Postponed("", f.now, 0), Release: true}) {
		f.check(err)
	}
	if more := f.claim(vault.JobSign, 10); len(more) != 0 {
		f.Errorf("claimed %+v after it was given back", more)
	}
	_, err = f.changeBatch(b.ID, vault.Batch.Resume)
	f.check(err)
	if all := f.claim(vault.JobSign, 10); len(all) != 4 {
		f.Errorf("claimed %d of the resumed batch, want 4", len(all))
	}
	_, err = f.changeBatch(b.ID, vault.Batch.Resume)
	f.wantKind(err, fault.Illegal, "resuming what is not paused")
	_, err = f.store.ChangeBatch(f.Context(), f.b, b.ID, f.pause, nil)
	f.wantKind(err, fault.NotFound, "pausing another institution's batch")
}

func cancelledBatches(f *fixture) {
	b, kept := f.filled(3)
	held := f.claim(vault.JobSign, 1)
	cancelled, err := f.changeBatch(b.ID, f.cancel)
	f.check(err)
	if !cancelled.Cancelled() || cancelled.Counts.Failed != 2 || cancelled.Counts.Processing != 1 {
		f.Errorf("cancelled as %+v with counts %+v", cancelled, cancelled.Counts)
	}
	for _, c := range kept[1:] {
		if got := f.read(c); got.Status != vault.Failed || got.Failure.Code != vault.CodeCancelled {
			f.Errorf("certificate %d is %s: %+v", got.ID, got.Status, got.Failure)
		}
	}
	if more := f.claim(vault.JobSign, 10); len(more) != 0 {
		f.Errorf("claimed %+v of a cancelled batch", more)
	}
	for _, err := range f.complete(store.JobResult{Job: held[0], Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Approve(vault.Verified{}, []byte("tail"), f.now)
	}}) {
		f.check(err)
	}
	d := f.draft()
	d.Batch = b.ID
	_, err = f.store.Insert(f.Context(), []store.NewCertificate{f.newCertificate(f.a, d)})
	f.wantKind(err, fault.Illegal, "accepting into a cancelled batch")
	if again := f.openBatch(b); again.Cancelled() || again.ID != b.ID {
		f.Errorf("submitted again: %+v", again)
	}
	f.insertOne(f.a, d)
}

func eventsInOrder(f *fixture) {
	before, err := f.store.LastEvent(f.Context())
	f.check(err)
	if before != 0 {
		f.Errorf("the latest event of none is %d", before)
	}
	one, two := f.insertOne(f.a, f.draft()), f.insertOne(f.a, f.draft())
	f.insertOne(f.b, f.draft())
	three := f.insertOne(f.a, f.draft())
	var seen []uint64
	seq := uint64(0)
	for range 4 {
		events, next, err := f.store.EventsAfter(f.Context(), f.a, seq, 2)
		f.check(err)
		for _, e := range events {
			seen = append(seen, e.Certificate)
		}
		seq = next
	}
	f.wantSame(seen, []uint64{one.ID, two.ID, three.ID}, "events of one institution")
	last, err := f.store.LastEvent(f.Context())
	f.check(err)
	if last != seq {
		f.Errorf("the latest event is %d, read up to %d", last, seq)
	}
}
