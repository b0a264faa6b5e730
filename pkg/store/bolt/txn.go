package bolt

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// txn is a transaction of the store, with what it looked up already and what it gathers
// to write at its end: counts and indexes change many times in one transaction and are
// written once.
type txn struct {
	*boltfile.Tx
	paused    map[string]bool               // batches by ID
	endpoints map[uint32][]webhook.Endpoint // by institution, deleted ones too

	recorded      []*audit.PendingAction // whose entries were written
	about         *auditSubject          // what the call under way writes; nil where nobody asks
	changed       []string               // reference IDs of certificates that were written
	batches       []string               // keys of batches that were written, as in batch_by_id
	entries       []bucketEntry          // that are to be written in order
	personKeys    map[keyOwner]bool      // among the entries, of certificates whose key has a person
	countDelta    countDelta
	checksumDelta checksumDelta // of the buckets that have a sum
	indexDelta    search.Delta
}

func newTxn(tx *bbolt.Tx) *txn { return &txn{Tx: boltfile.NewTx(tx, isAppendOnly)} }

// view runs a function in a read transaction, unless its caller has given up.
func (s *Store) view(ctx context.Context, fn func(*txn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.file.View(func(tx *bbolt.Tx) error { return fn(newTxn(tx)) })
}

// readTx is view for callers that want a result.
func readTx[T any](ctx context.Context, s *Store, fn func(*txn) (T, error)) (T, error) {
	return withResult(ctx, s.view, fn)
}

// writeTx is update for callers that want a result.
func writeTx[T any](ctx context.Context, s *Store, fn func(*txn) (T, error)) (T, error) {
	return withResult(ctx, s.update, fn)
}

// withResult runs a function in a transaction and returns its result, or nothing but an
// error.
func withResult[T any](ctx context.Context, transact func(context.Context, func(*txn) error) error, fn func(*txn) (T, error)) (result T, err error) {
	err = transact(ctx, func(t *txn) (err error) {
		result, err = fn(t)
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return result, nil
}

// prune removes what find finds, in one transaction, and returns how many that were.
// Most of the time there is nothing, and then nothing is written.
func prune[T any](ctx context.Context, s *Store, find func(*txn) ([]T, error), remove func(*txn, T) error) (int, error) {
	old, err := readTx(ctx, s, find)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return writeTx(ctx, s, func(t *txn) (int, error) {
		// Looked up again: they may have changed between the two transactions.
		old, err := find(t)
		if err != nil {
			return 0, err
		}
		for _, one := range old {
			if err := remove(t, one); err != nil {
				return 0, err
			}
		}
		return len(old), nil
	})
}

// Put writes a value.
func (t *txn) Put(bucket, key, value []byte) error {
	t.noteChecksum(bucket, key, value)
	return t.Tx.Put(bucket, key, value)
}

// Delete removes a key.
func (t *txn) Delete(bucket, key []byte) error {
	t.noteChecksum(bucket, key, nil)
	return t.Tx.Delete(bucket, key)
}

// noteChecksum keeps the sum of a bucket that has one.
func (t *txn) noteChecksum(bucket, key, value []byte) {
	switch string(bucket) {
	case string(certificateByKeyBucket), string(frozenDatesBucket):
		t.checksumDelta.Note(t.Tx, bucket, key, value)
	}
}

// bucketEntry is a key with its value, in a bucket.
type bucketEntry struct{ bucket, key, value []byte }

// flushEntries writes the index entries of the certificates that were added, in the order
// of their keys: bbolt moves what stands behind a new key, and a large transaction has
// large nodes.
func (t *txn) flushEntries() error {
	slices.SortFunc(t.entries, func(a, b bucketEntry) int {
		return cmp.Or(bytes.Compare(a.bucket, b.bucket), bytes.Compare(a.key, b.key))
	})
	defer func() { t.entries = t.entries[:0] }()
	for _, e := range t.entries {
		if err := t.Put(e.bucket, e.key, e.value); err != nil {
			return err
		}
	}
	return nil
}

// count records that an institution and a batch have n more certificates in a state.
func (t *txn) count(c vault.Certificate, n int) {
	t.CountWrite()
	t.countDelta.Add(c, n)
}

// finish writes what was gathered.
func (t *txn) finish() error {
	if err := t.countDelta.Write(t.Tx); err != nil {
		return err
	}
	if err := t.indexDelta.Write(t.Tx); err != nil {
		return err
	}
	return t.checksumDelta.Write(t.Tx)
}
