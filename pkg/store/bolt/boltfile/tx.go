package boltfile

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"
)

// Tx is one transaction.
type Tx struct {
	tx         *bbolt.Tx
	appendOnly func(bucket []byte) bool
	// open is what was opened already; most transactions that read open one or two.
	open   []openBucket
	writes int
}

type openBucket struct {
	name   string
	bucket *bbolt.Bucket
}

// NewTx begins work on a transaction. The function reports whether new keys of a bucket
// come behind all others.
func NewTx(tx *bbolt.Tx, ascending func(bucket []byte) bool) *Tx {
	return &Tx{tx: tx, appendOnly: ascending}
}

// Bucket opens a bucket; nil when there is none.
func (t *Tx) Bucket(name []byte) *bbolt.Bucket {
	for i := range t.open {
		if t.open[i].name == string(name) {
			return t.open[i].bucket
		}
	}
	b := t.tx.Bucket(name)
	if b != nil && t.appendOnly(name) {
		b.FillPercent = 0.95 // the room that is left in a page would stay empty
	}
	t.open = append(t.open, openBucket{string(name), b})
	return b
}

// Cursor walks through a bucket.
func (t *Tx) Cursor(bucket []byte) *bbolt.Cursor { return t.Bucket(bucket).Cursor() }

// Buckets visits all buckets.
func (t *Tx) Buckets(visit func(name []byte, b *bbolt.Bucket) error) error {
	return t.tx.ForEach(visit)
}

// Empty reports whether the file has no buckets at all.
func (t *Tx) Empty() bool {
	first, _ := t.tx.Cursor().First()
	return first == nil
}

// Writes counts what was written so far.
func (t *Tx) Writes() int { return t.writes }

// CountWrite counts a write that is done at the transaction's end.
func (t *Tx) CountWrite() { t.writes++ }

// Get returns a value, nil where there is none. It is valid inside the
// transaction.
func (t *Tx) Get(bucket, key []byte) []byte { return t.Bucket(bucket).Get(key) }

// Put writes a value.
func (t *Tx) Put(bucket, key, value []byte) error {
	t.writes++
	if err := t.Bucket(bucket).Put(key, value); err != nil {
		return fmt.Errorf("writing to the database: %w", err)
	}
	return nil
}

// PutRecord writes a record with its checksum.
func (t *Tx) PutRecord(bucket, key []byte, v any) error {
	value, err := Encode(key, v)
	if err != nil {
		return err
	}
	return t.Put(bucket, key, value)
}

// Delete removes a key.
func (t *Tx) Delete(bucket, key []byte) error {
	t.writes++
	if err := t.Bucket(bucket).Delete(key); err != nil {
		return fmt.Errorf("writing to the database: %w", err)
	}
	return nil
}

// Has reports whether there is a key, with or without a value.
func (t *Tx) Has(bucket, key []byte) bool {
	k, _ := t.Cursor(bucket).Seek(key)
	return bytes.Equal(k, key)
}

// HasPrefix reports whether any key has a prefix.
func (t *Tx) HasPrefix(bucket, prefix []byte) bool {
	k, _ := t.Cursor(bucket).Seek(prefix)
	return bytes.HasPrefix(k, prefix)
}

// IDsWithPrefix lists the IDs that stand right behind a prefix in an index.
func (t *Tx) IDsWithPrefix(bucket, prefix []byte) (ids []uint64) {
	c := t.Cursor(bucket)
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if len(k) == len(prefix)+8 { // no text that goes on behind a zero byte
			ids = append(ids, LastID(k))
		}
	}
	return ids
}

// SeekLast positions a cursor on the last key under a prefix.
func SeekLast(c *bbolt.Cursor, prefix []byte) []byte {
	end := append(bytes.Clone(prefix), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	if k, _ := c.Seek(end); k == nil {
		k, _ = c.Last()
		return k
	}
	k, _ := c.Prev()
	return k
}
