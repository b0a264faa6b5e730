package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/job"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Change implements store.Certificates.
func (s *Store) Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error) {
	return write(ctx, s, func(t *txn) (vault.Certificate, error) {
		old, err := t.Find(institution, name)
		if err != nil {
			return old, err
		}
		return t.change(old, change)
	})
}

// change applies a transition and commits the result with its effects.
func (t *txn) change(old vault.Certificate, change store.Change) (vault.Certificate, error) {
	c, fx, err := change(old)
	if err != nil {
		return old, err
	}
	if err := t.checkKey(old, c); err != nil {
		return old, err
	}
	if err := t.MoveShare(old, c); err != nil {
		return old, err
	}
	if c, err = t.assigned(old, c); err != nil {
		return old, err
	}
	if err := t.Save(c); err != nil {
		return old, err
	}
	t.MoveStatus(old, c)
	if err := t.moveApplication(old, c); err != nil {
		return old, err
	}
	if v := c.Verified; v != nil && v.Document.SHA256 != c.File.SHA256 {
		if err := t.NeedDocument(v.Document.SHA256, c); err != nil {
			return old, err
		}
	}
	return c, t.effects(c, fx)
}

// Settle implements store.Jobs.
func (s *Store) Settle(ctx context.Context, settlements []store.Settlement) ([]error, error) {
	return write(ctx, s, func(t *txn) ([]error, error) {
		outcomes := make([]error, len(settlements))
		for i, st := range settlements {
			before := t.Writes()
			outcomes[i] = t.settle(st)
			if outcomes[i] != nil && t.Writes() != before {
				return nil, outcomes[i]
			}
		}
		return outcomes, nil
	})
}

func (t *txn) settle(st store.Settlement) error {
	stored, err := job.Get(t.Tx, st.Job.ID)
	if err != nil {
		return err
	}
	if stored == nil || !stored.Held || stored.Attempt != st.Job.Attempt {
		return fault.New(fault.Conflict, "the job was taken over by another worker")
	}
	if st.Change != nil {
		old, err := t.Certificate(record.U64(stored.Certificate))
		if err != nil {
			return err
		}
		if _, err := t.change(old, st.Change); err != nil {
			return err
		}
	}
	if st.Mail != nil && stored.Mail != 0 {
		if err := t.settleMail(*stored, st.Mail); err != nil {
			return err
		}
	}
	if err := job.Drop(t.Tx, *stored); err != nil {
		return err
	}
	if !st.Again && !st.Untried {
		return nil
	}
	waiting := *stored
	waiting.RunAt, waiting.LastError, waiting.Held = st.Job.RunAt, st.Job.LastError, false
	if st.Untried {
		waiting.Attempt--
	}
	return job.Put(&t.Batches, waiting)
}
