package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/job"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ChangeBatch implements store.Batches.
func (s *Store) ChangeBatch(ctx context.Context, institution uint32, id string,
	change func(vault.Batch) (vault.Batch, error), waiting store.Change) (vault.Batch, error) {
	_, err := write(ctx, s, func(t *txn) (vault.Batch, error) {
		old, err := batch.Get(t.Tx, institution, id)
		if err != nil {
			return old, err
		}
		b, err := change(old)
		if err != nil {
			return old, err
		}
		if err := t.Batches.Replace(b); err != nil {
			return old, err
		}
		if b.Cancelled() && !old.Cancelled() {
			return b, t.endJobs(b, waiting)
		}
		return b, job.Park(&t.Batches, b)
	})
	if err != nil {
		return vault.Batch{}, err
	}
	// Counts are written at the end of a transaction, so they are read after it.
	return s.Batch(ctx, institution, id)
}

// endJobs ends a batch's waiting jobs; their certificates take a transition.
func (t *txn) endJobs(b vault.Batch, change store.Change) error {
	waiting, err := job.Waiting(t.Tx, vault.JobProcess, b.Institution, b.ID)
	if err != nil {
		return err
	}
	for _, j := range waiting {
		if err := job.Drop(t.Tx, j); err != nil {
			return err
		}
		c, err := t.Certificate(record.U64(j.Certificate))
		if err != nil {
			return err
		}
		if _, err := t.change(c, change); err != nil {
			return err
		}
	}
	return nil
}
