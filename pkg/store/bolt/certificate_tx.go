package bolt

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// certificateTx is a transaction with what it gathers to write at its end: counts and
// indexes change many times in one transaction and are written once.
type certificateTx struct {
	*boltfile.Tx
	Batches    batchTx
	Deliveries deliveryTx

	changed       []string      // reference IDs of certificates that were written
	entries       []bucketEntry // that are to be written in order
	countDelta    countDelta
	checksumDelta checksumDelta // of the proven buckets
	indexDelta    search.Delta
}

// newCertificateTx makes one of a transaction.
func newCertificateTx(t *boltfile.Tx) *certificateTx {
	return &certificateTx{Tx: t, Batches: batchTx{Tx: t}, Deliveries: deliveryTx{Tx: t}}
}

// Changed lists the reference IDs of the certificates that were written.
func (t *certificateTx) Changed() []string { return t.changed }

// Put writes a value.
func (t *certificateTx) Put(bucket, key, value []byte) error {
	t.noteChecksum(bucket, key, value)
	return t.Tx.Put(bucket, key, value)
}

// Delete removes a key.
func (t *certificateTx) Delete(bucket, key []byte) error {
	t.noteChecksum(bucket, key, nil)
	return t.Tx.Delete(bucket, key)
}

// noteChecksum keeps the sum of a proven bucket.
func (t *certificateTx) noteChecksum(bucket, key, value []byte) {
	switch string(bucket) {
	case string(certificateByKeyBucket), string(frozenDatesBucket):
		t.checksumDelta.Note(t.Tx, bucket, key, value)
	}
}

// bucketEntry is a key with its value, in a bucket.
type bucketEntry struct{ bucket, key, value []byte }

// putAll writes several index entries.
func (t *certificateTx) putAll(entries []bucketEntry) error {
	for _, e := range entries {
		if err := t.Put(e.bucket, e.key, e.value); err != nil {
			return err
		}
	}
	return nil
}

// FlushEntries writes the entries that lead to the certificates that were added, in the order
// of their keys: bbolt moves what stands behind a new key, and a large transaction has
// large nodes.
func (t *certificateTx) FlushEntries() error {
	slices.SortFunc(t.entries, func(a, b bucketEntry) int {
		return cmp.Or(bytes.Compare(a.bucket, b.bucket), bytes.Compare(a.key, b.key))
	})
	err := t.putAll(t.entries)
	t.entries = t.entries[:0]
	return err
}

// count notes that an institution and a batch have n more certificates in a state.
func (t *certificateTx) count(c vault.Certificate, n int) {
	t.CountWrite()
	t.countDelta.Add(c, n)
}

// Finish writes what was gathered.
func (t *certificateTx) Finish() error {
	if err := t.countDelta.Write(t.Tx); err != nil {
		return err
	}
	if err := t.indexDelta.Write(t.Tx); err != nil {
		return err
	}
	return t.checksumDelta.Write(t.Tx)
}
