// Package certificate keeps certificates, and what leads to them: identities,
// uniqueness keys, share tokens, documents.
package certificate

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/count"
	"github.com/vecctl/vecctl/pkg/store/bolt/delivery"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/sum"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Txn is a transaction with what it gathers to write at its end: counts and
// indexes change many times in one transaction and are written once.
type Txn struct {
	*tree.Tx
	Batches    batch.Tx
	Deliveries delivery.Tx

	changed []string // reference IDs of certificates that were written
	entries []entry  // that are to be written in order
	counted count.Changes
	sums    sum.Changes // of the proven buckets
	lists   index.Changes
}

// Begin makes one of a transaction.
func Begin(t *tree.Tx) *Txn {
	return &Txn{Tx: t, Batches: batch.Tx{Tx: t}, Deliveries: delivery.Tx{Tx: t}}
}

// Changed lists the reference IDs of the certificates that were written.
func (t *Txn) Changed() []string { return t.changed }

// Put writes a value.
func (t *Txn) Put(bucket, key, value []byte) error {
	t.prove(bucket, key, value)
	return t.Tx.Put(bucket, key, value)
}

// Delete removes a key.
func (t *Txn) Delete(bucket, key []byte) error {
	t.prove(bucket, key, nil)
	return t.Tx.Delete(bucket, key)
}

// prove keeps the sum of a proven bucket.
func (t *Txn) prove(bucket, key, value []byte) {
	switch string(bucket) {
	case string(byKey), string(frozen):
		t.sums.Note(t.Tx, bucket, key, value)
	}
}

// entry is a key with its value, in a bucket.
type entry struct{ bucket, key, value []byte }

// putAll writes several index entries.
func (t *Txn) putAll(entries []entry) error {
	for _, e := range entries {
		if err := t.Put(e.bucket, e.key, e.value); err != nil {
			return err
		}
	}
	return nil
}

// Lead writes the entries that lead to the certificates that were added, in the order
// of their keys: bbolt moves what stands behind a new key, and a large transaction has
// large nodes.
func (t *Txn) Lead() error {
	slices.SortFunc(t.entries, func(a, b entry) int {
		return cmp.Or(bytes.Compare(a.bucket, b.bucket), bytes.Compare(a.key, b.key))
	})
	err := t.putAll(t.entries)
	t.entries = t.entries[:0]
	return err
}

// count notes that an institution and a batch have n more certificates in a state.
func (t *Txn) count(c vault.Certificate, n int) {
	t.Wrote()
	t.counted.Add(c, n)
}

// Finish writes what was gathered.
func (t *Txn) Finish() error {
	if err := t.counted.Write(t.Tx); err != nil {
		return err
	}
	if err := t.lists.Write(t.Tx); err != nil {
		return err
	}
	return t.sums.Write(t.Tx)
}
