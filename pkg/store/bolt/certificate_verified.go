package bolt

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// verifiedPrefix is how many bytes of a verified PDF's SHA-256 its index has: nobody can
// make two files that share them.
const verifiedPrefix = 16

// verifiedIndexKey in the bucket meta says that the index of verified PDFs is complete.
var verifiedIndexKey = []byte("verified index")

// verifiedKey is the beginning of an index key; nil where sum is no SHA-256 in hexadecimal.
func verifiedKey(sum string) []byte {
	b, err := hex.DecodeString(sum)
	if err != nil || len(b) < verifiedPrefix {
		return nil
	}
	return b[:verifiedPrefix]
}

// ByVerifiedSHA256 implements store.Certificates.
func (s *Store) ByVerifiedSHA256(ctx context.Context, sums ...string) ([]*vault.Certificate, error) {
	return readTx(ctx, s, func(t *txn) (found []*vault.Certificate, err error) {
		found = make([]*vault.Certificate, len(sums))
		for i, sum := range sums {
			if found[i], err = t.findByVerified(sum); err != nil {
				return nil, err
			}
		}
		return found, nil
	})
}

// findByVerified finds the certificate whose verified PDF has, or had, a SHA-256; nil where none
// has.
func (t *txn) findByVerified(sum string) (*vault.Certificate, error) {
	prefix := verifiedKey(sum)
	if prefix == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	for _, id := range t.IDsWithPrefix(certificateByVerifiedBucket, prefix) {
		c, err := t.certificate(boltfile.U64(id))
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(verifiedKeys(c), func(k []byte) bool { return bytes.Equal(k, prefix) }) {
			return nil, boltfile.IndexDamaged(certificateByVerifiedBucket, prefix)
		}
		if c.Verified.Has(sum) {
			return &c, nil
		}
	}
	return nil, nil //nolint:nilnil // absence is no error here and has no value
}

// moveVerified updates the index for a certificate whose verified PDF changed.
func (t *txn) moveVerified(old, c vault.Certificate) error {
	from, to := verifiedKeys(old), verifiedKeys(c)
	if slices.EqualFunc(from, to, bytes.Equal) {
		return nil
	}
	id := boltfile.U64(c.ID)
	for _, prefix := range from {
		if t.Has(certificateByVerifiedBucket, boltfile.JoinKey(prefix, id)) {
			if err := t.Delete(certificateByVerifiedBucket, boltfile.JoinKey(prefix, id)); err != nil {
				return err
			}
		}
	}
	return putVerified(t.Tx, c)
}

// verifiedKeys are the beginnings of the index keys of a certificate's verified PDF, as it is
// and as it was.
func verifiedKeys(c vault.Certificate) (keys [][]byte) {
	if c.Verified == nil {
		return nil
	}
	for _, sum := range append([]string{c.Verified.SHA256}, c.Verified.Earlier...) {
		if prefix := verifiedKey(sum); prefix != nil {
			keys = append(keys, prefix)
		}
	}
	return keys
}

func putVerified(t *boltfile.Tx, c vault.Certificate) error {
	for _, prefix := range verifiedKeys(c) {
		if err := t.Put(certificateByVerifiedBucket, boltfile.JoinKey(prefix, boltfile.U64(c.ID)), nil); err != nil {
			return err
		}
	}
	return nil
}

// indexVerified makes the index of verified PDFs that the file of an earlier build lacks. An
// index that was not completed is completed.
func indexVerified(f *boltfile.File) error {
	complete := false
	err := f.View(func(tx *bbolt.Tx) error {
		complete = tx.Bucket(metaBucket).Get(verifiedIndexKey) != nil
		return nil
	})
	if err != nil || complete {
		return err
	}
	const group = 1 << 16 // certificates in one transaction
	next := boltfile.U64(0)
	for next != nil {
		err := f.Update(func(tx *bbolt.Tx) (err error) {
			next, err = indexVerifiedFrom(boltfile.NewTx(tx, isAppendOnly), next, group)
			return err
		})
		if err != nil {
			return fmt.Errorf("indexing the verified PDFs: %w", err)
		}
	}
	return nil
}

// indexVerifiedFrom indexes n certificates from a key on. It returns the key to go on with;
// nil when the index is complete, which it notes.
func indexVerifiedFrom(t *boltfile.Tx, from []byte, n int) (next []byte, err error) {
	cursor := t.Cursor(certificatesBucket)
	for k, v := cursor.Seek(from); k != nil; k, v = cursor.Next() {
		if n--; n < 0 {
			return append([]byte(nil), k...), nil
		}
		var c vault.Certificate
		if boltfile.Decode(k, v, &c) != nil {
			continue // who reads a damaged record is told so; the store opens
		}
		if err := putVerified(t, c); err != nil {
			return nil, err
		}
	}
	return nil, t.Put(metaBucket, verifiedIndexKey, []byte{1})
}
