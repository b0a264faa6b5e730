package bolt

import (
	"bytes"
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ChangeBatch implements store.Batches.
func (s *Store) ChangeBatch(ctx context.Context, institution uint32, id string,
	change func(vault.Batch) (vault.Batch, error), waiting store.Change) (vault.Batch, error) {
	_, err := write(ctx, s, func(t *txn) (vault.Batch, error) {
		old, err := t.batch(institution, id)
		if err != nil {
			return old, err
		}
		b, err := change(old)
		if err != nil {
			return old, err
		}
		if err := t.replaceBatch(b); err != nil {
			return old, err
		}
		if b.Cancelled() && !old.Cancelled() {
			return b, t.endJobs(b, waiting)
		}
		return b, t.parkJobs(b)
	})
	if err != nil {
		return vault.Batch{}, err
	}
	// Counts are written at the end of a transaction, so they are read after it.
	return s.Batch(ctx, institution, id)
}

// replaceBatch writes a batch that exists.
func (t *txn) replaceBatch(b vault.Batch) error {
	delete(t.batchPaused, b.ID)
	key := batchKey(b)
	value, err := record.Encode(key, b)
	if err != nil {
		return err
	}
	return t.Put(batches, key, value)
}

func (t *txn) reopen(institution uint32, id string) (vault.Batch, error) {
	b, err := t.batch(institution, id)
	if err != nil || !b.Cancelled() {
		return b, err
	}
	b = b.Reopen()
	return b, t.replaceBatch(b)
}

// paused tells whether a job must not be claimed because its batch is paused.
func (t *txn) paused(j vault.Job) (bool, error) {
	if j.Kind != vault.JobProcess || j.Batch == "" {
		return false, nil
	}
	if known, ok := t.batchPaused[j.Batch]; ok {
		return known, nil
	}
	b, err := t.batch(j.Institution, j.Batch)
	if fault.Is(err, fault.NotFound) {
		err = nil // a batch that nobody opened cannot be paused
	}
	if t.batchPaused == nil {
		t.batchPaused = map[string]bool{}
	}
	t.batchPaused[j.Batch] = b.Paused()
	return b.Paused(), err
}

// waitingJobs lists a batch's processing jobs that nobody holds.
func (t *txn) waitingJobs(b vault.Batch) ([]vault.Job, error) {
	var found []vault.Job
	for _, lane := range []string{string(vault.JobProcess), parkedLane + string(vault.JobProcess)} {
		prefix := record.Text(lane)
		c := t.Bucket(due).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			j, err := t.job(record.TailID(k))
			if err != nil {
				return nil, err
			}
			if j != nil && j.Batch == b.ID && j.Institution == b.Institution && !j.Held {
				found = append(found, *j)
			}
		}
	}
	return found, nil
}

// parkJobs moves a batch's waiting jobs to the lane that is theirs now.
func (t *txn) parkJobs(b vault.Batch) error {
	waiting, err := t.waitingJobs(b)
	if err != nil {
		return err
	}
	for _, j := range waiting {
		if err := t.move(j, j); err != nil {
			return err
		}
	}
	return nil
}

// endJobs ends a batch's waiting jobs; their certificates take a transition.
func (t *txn) endJobs(b vault.Batch, change store.Change) error {
	waiting, err := t.waitingJobs(b)
	if err != nil {
		return err
	}
	for _, j := range waiting {
		if err := t.dropJob(j); err != nil {
			return err
		}
		c, err := t.certificate(record.U64(j.Certificate))
		if err != nil {
			return err
		}
		if _, err := t.change(c, change); err != nil {
			return err
		}
	}
	return nil
}
