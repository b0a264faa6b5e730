package bolt

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/count"
	"github.com/vecctl/vecctl/pkg/store/bolt/delivery"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/schema"
	"github.com/vecctl/vecctl/pkg/store/bolt/sum"
	"github.com/vecctl/vecctl/pkg/store/bolt/trail"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/act"
)

// update runs a function in the next write transaction and returns when that is
// durable; the act in whose course that happens is written down with it. A function that fails before its first write is alone refused; one
// that fails later fails the whole transaction, since then the file or the disk
// is at fault. Once queued, a function is carried out even when ctx ends, so
// that the caller knows the outcome.
func (s *Store) update(ctx context.Context, run func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p := act.Of(ctx)
	if !p.Due() {
		return s.queue.Do(run)
	}
	err := s.queue.Do(func(t *txn) error {
		if err := run(t); err != nil {
			return err
		}
		return trail.Note(t.Tx, p)
	})
	if err == nil {
		p.Noted()
	}
	return err
}

// write is update for callers that want a result.
func write[T any](ctx context.Context, s *Store, run func(*txn) (T, error)) (T, error) {
	return tree.Run(ctx, s.update, run)
}

// commit runs a group in one transaction and returns each one's outcome.
func (s *Store) commit(group []func(*txn) error) []error {
	outcomes := make([]error, len(group))
	var changed []string
	err := s.file.Update(func(tx *bbolt.Tx) error {
		t := newTxn(tx)
		defer func() { changed = t.changed }()
		for i, run := range group {
			before := t.Writes()
			if outcomes[i] = run(t); outcomes[i] != nil && t.Writes() != before {
				return outcomes[i]
			}
		}
		return t.finish()
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

// txn is a transaction with what it gathers to write at its end: counts and
// indexes change many times in one transaction and are written once.
type txn struct {
	*tree.Tx
	changed    []string // reference IDs of certificates that were written
	entries    []entry  // that are to be written in order
	counted    count.Changes
	sums       sum.Changes // of the proven buckets
	changes    index.Changes
	batches    batch.Tx
	deliveries delivery.Tx
}

func newTxn(tx *bbolt.Tx) *txn {
	t := tree.New(tx, schema.Ascending)
	return &txn{Tx: t, batches: batch.Tx{Tx: t}, deliveries: delivery.Tx{Tx: t}}
}

// Put writes a value.
func (t *txn) Put(bucket, key, value []byte) error {
	t.prove(bucket, key, value)
	return t.Tx.Put(bucket, key, value)
}

// Delete removes a key.
func (t *txn) Delete(bucket, key []byte) error {
	t.prove(bucket, key, nil)
	return t.Tx.Delete(bucket, key)
}

// prove keeps the sum of a proven bucket.
func (t *txn) prove(bucket, key, value []byte) {
	switch string(bucket) {
	case string(byKey), string(frozen):
		t.sums.Note(t.Tx, bucket, key, value)
	}
}

// entry is a key with its value, in a bucket.
type entry struct{ bucket, key, value []byte }

// putAll writes several index entries.
func (t *txn) putAll(entries []entry) error {
	for _, e := range entries {
		if err := t.Put(e.bucket, e.key, e.value); err != nil {
			return err
		}
	}
	return nil
}

// putEntries writes the entries that were gathered, in the order of their keys:
// bbolt moves what stands behind a new key, and a large transaction has large nodes.
func (t *txn) putEntries() error {
	slices.SortFunc(t.entries, func(a, b entry) int {
		return cmp.Or(bytes.Compare(a.bucket, b.bucket), bytes.Compare(a.key, b.key))
	})
	err := t.putAll(t.entries)
	t.entries = t.entries[:0]
	return err
}

// count notes that an institution and a batch have n more certificates in a state.
func (t *txn) count(c vault.Certificate, n int) {
	t.Wrote()
	t.counted.Add(c, n)
}

// finish writes what was gathered.
func (t *txn) finish() error {
	if err := t.counted.Write(t.Tx); err != nil {
		return err
	}
	if err := t.changes.Write(t.Tx); err != nil {
		return err
	}
	return t.sums.Write(t.Tx)
}
