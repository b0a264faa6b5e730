package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ChangeBatch implements store.Batches.
func (s *Store) ChangeBatch(ctx context.Context, institution uint32, id string,
	change func(vault.Batch) (vault.Batch, error), waiting store.Change) (vault.Batch, error) {
	_, err := writeTx(ctx, s, func(t *txn) (vault.Batch, error) {
		old, err := t.batch(institution, id)
		if err != nil {
			return old, err
		}
		b, err := change(old)
		if err != nil {
			return old, err
		}
		t.about.note(institution, "batch "+b.ID, "")
		if err := t.putBatch(b); err != nil {
			return old, err
		}
		if b.Cancelled() && !old.Cancelled() {
			return b, t.cancelJobs(b, waiting)
		}
		return b, t.parkJobs(b)
	})
	if err != nil {
		return vault.Batch{}, err
	}
	// Counts are written at the end of a transaction, so they are read after it. The
	// change is done by then, whether or not the caller still waits.
	return s.Batch(context.WithoutCancel(ctx), institution, id)
}

// cancelJobs ends a batch's waiting jobs; their certificates take a transition.
func (t *txn) cancelJobs(b vault.Batch, change store.Change) error {
	waiting, err := t.waitingJobs(vault.JobSign, b.Institution, b.ID)
	if err != nil {
		return err
	}
	for _, j := range waiting {
		if err := t.deleteJob(j); err != nil {
			return err
		}
		c, err := t.certificate(boltfile.U64(j.Certificate))
		if err != nil {
			return err
		}
		if _, err := t.change(c, change); err != nil {
			return err
		}
	}
	return nil
}
