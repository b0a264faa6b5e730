package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// update runs a function in the next write transaction and returns when that is
// durable. The audit entry of the context's action is written with it. A function
// that fails before its first write is alone refused; one that fails later fails the
// whole transaction, since then the file or the disk is at fault. Once queued, a
// function is carried out even when ctx ends, so that the caller knows the outcome.
func (s *Store) update(ctx context.Context, run func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := audit.FromContext(ctx)
	if !p.Unrecorded() {
		return s.queue.Do(run)
	}
	return s.queue.Do(func(t *txn) error {
		t.about = &auditSubject{}
		defer func() { t.about = nil }()
		if err := run(t); err != nil {
			return err
		}
		return t.recordAction(p)
	})
}

// commit runs a group in one transaction and returns each one's outcome.
func (s *Store) commit(group []func(*txn) error) []error {
	outcomes := make([]error, len(group))
	var t *txn
	err := s.file.Update(func(tx *bbolt.Tx) error {
		t = newTxn(tx)
		for i, run := range group {
			before := t.Writes()
			if outcomes[i] = run(t); outcomes[i] != nil && t.Writes() != before {
				return outcomes[i]
			}
		}
		return t.finish()
	})
	if t != nil {
		for _, reference := range t.changed {
			s.versions.of(reference).Add(1)
		}
		s.outcomes.forget(t)
	}
	if err != nil {
		for i := range outcomes {
			outcomes[i] = err
		}
		return outcomes
	}
	// Before the next transaction begins: it may hold calls of the same actions.
	for _, p := range t.recorded {
		p.MarkRecorded()
	}
	return outcomes
}
