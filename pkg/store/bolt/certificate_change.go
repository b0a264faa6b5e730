package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Change implements store.Certificates.
func (s *Store) Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error) {
	return writeTx(ctx, s, func(t *txn) (vault.Certificate, error) {
		old, err := t.findCertificate(institution, name)
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
	if err := t.moveShareToken(old, c); err != nil {
		return old, err
	}
	if c, err = t.assignOwner(old, c); err != nil {
		return old, err
	}
	if err := t.putCertificate(c); err != nil {
		return old, err
	}
	t.moveStatus(old, c)
	if err := t.moveApplication(old, c); err != nil {
		return old, err
	}
	if v := c.Verified; v != nil && v.Document.SHA256 != c.File.SHA256 {
		if err := t.addDocumentRef(v.Document.SHA256, c); err != nil {
			return old, err
		}
	}
	return c, t.applyEffects(c, fx)
}

// Complete implements store.Jobs.
func (s *Store) Complete(ctx context.Context, settlements []store.JobResult) ([]error, error) {
	return writeTx(ctx, s, func(t *txn) ([]error, error) {
		outcomes := make([]error, len(settlements))
		for i, st := range settlements {
			before := t.Writes()
			outcomes[i] = t.completeJob(st)
			if outcomes[i] != nil && t.Writes() != before {
				return nil, outcomes[i]
			}
		}
		return outcomes, nil
	})
}

func (t *txn) completeJob(st store.JobResult) error {
	stored, err := t.job(st.Job.ID)
	if err != nil {
		return err
	}
	if stored == nil || !stored.Claimed || stored.Attempt != st.Job.Attempt {
		return fault.New(fault.Conflict, "the job was taken over by another worker")
	}
	if st.Change != nil {
		old, err := t.certificate(boltfile.U64(stored.Certificate))
		if err != nil {
			return err
		}
		if _, err := t.change(old, st.Change); err != nil {
			return err
		}
	}
	if st.Mail != nil && stored.Mail != 0 {
		if err := t.completeMail(*stored, st.Mail); err != nil {
			return err
		}
	}
	if err := t.deleteJob(*stored); err != nil {
		return err
	}
	if !st.Retry && !st.Release {
		return nil
	}
	waiting := *stored
	waiting.RunAt, waiting.LastError, waiting.Claimed = st.Job.RunAt, st.Job.LastError, false
	if st.Release {
		waiting.Attempt--
	}
	return t.putJob(waiting)
}
