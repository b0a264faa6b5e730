package bolt

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// update runs a function in the next write transaction and returns when that is
// durable; the act in whose course that happens is written down with it. A function
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
	err := s.queue.Do(func(t *txn) error {
		if err := run(t); err != nil {
			return err
		}
		return recordAction(t.Tx, p)
	})
	if err == nil {
		p.MarkRecorded()
	}
	return err
}

// writeTx is update for callers that want a result.
func writeTx[T any](ctx context.Context, s *Store, run func(*txn) (T, error)) (T, error) {
	return boltfile.RunTx(ctx, s.update, run)
}

// commit runs a group in one transaction and returns each one's outcome.
func (s *Store) commit(group []func(*txn) error) []error {
	outcomes := make([]error, len(group))
	var changed []string
	err := s.file.Update(func(tx *bbolt.Tx) error {
		t := newTxn(tx)
		defer func() { changed = t.Changed() }()
		for i, run := range group {
			before := t.Writes()
			if outcomes[i] = run(t); outcomes[i] != nil && t.Writes() != before {
				return outcomes[i]
			}
		}
		return t.Finish()
	})
	for _, reference := range changed {
		s.versions.of(reference).Add(1)
	}
	if err != nil {
		for i := range outcomes {
			outcomes[i] = err
		}
	}
	return outcomes
}

// txn is a transaction of the store.
type txn struct{ *certificateTx }

func newTxn(tx *bbolt.Tx) *txn {
	return &txn{newCertificateTx(boltfile.NewTx(tx, isAppendOnly))}
}
