package bolt

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The bucket; schema.go draws all.
var revocationsBucket = []byte("revocations")

// revocationsKey in the bucket meta says that the list has what was revoked before it began.
var revocationsKey = []byte("revocation list")

// Revocations implements store.Logs.
func (s *Store) Revocations(ctx context.Context, institution uint32, skip uint64, n int) ([]vault.RevocationRecord, error) {
	return readTx(ctx, s, func(t *txn) ([]vault.RevocationRecord, error) {
		found := []vault.RevocationRecord{}
		prefix := boltfile.U32(institution)
		c := t.Cursor(revocationsBucket)
		for k, v := c.Seek(boltfile.JoinKey(prefix, boltfile.U64(skip+1))); bytes.HasPrefix(k, prefix) && len(found) < n; k, v = c.Next() {
			var r vault.RevocationRecord
			if err := boltfile.Decode(k, v, &r); err != nil {
				return nil, fault.At("the list of revocations", err)
			}
			found = append(found, r)
		}
		return found, nil
	})
}

// RevocationCount implements store.Logs.
func (s *Store) RevocationCount(ctx context.Context, institution uint32) (uint64, error) {
	return readTx(ctx, s, func(t *txn) (uint64, error) { return revocationCount(t.Tx, institution), nil })
}

// revocationCount is the number of the last line of an institution's list.
func revocationCount(t *boltfile.Tx, institution uint32) uint64 {
	c := t.Cursor(revocationsBucket)
	key, _ := c.Seek(boltfile.U32(institution + 1))
	if key == nil {
		key, _ = c.Last()
	} else {
		key, _ = c.Prev()
	}
	if !bytes.HasPrefix(key, boltfile.U32(institution)) {
		return 0
	}
	return binary.BigEndian.Uint64(key[4:])
}

// noteRevocation appends what a change did to the list of revocations.
func (t *txn) noteRevocation(old, c vault.Certificate) error {
	r, ok := c.RevocationSince(old)
	if !ok {
		return nil
	}
	if r.Status == vault.ValiditySuperseded {
		next, err := t.findCertificate(c.Institution, c.SupersededBy)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		r.Successor = next.Reference
	}
	return putRevocation(t.Tx, c.Institution, r)
}

func putRevocation(t *boltfile.Tx, institution uint32, r vault.RevocationRecord) error {
	key := boltfile.JoinKey(boltfile.U32(institution), boltfile.U64(revocationCount(t, institution)+1))
	return t.PutRecord(revocationsBucket, key, r)
}

// listRevocations fills the list of a file that an earlier build wrote.
func listRevocations(f *boltfile.File) error {
	complete := false
	err := f.View(func(tx *bbolt.Tx) error {
		complete = tx.Bucket(metaBucket).Get(revocationsKey) != nil
		return nil
	})
	if err != nil || complete {
		return err
	}
	err = f.Update(func(tx *bbolt.Tx) error {
		t := boltfile.NewTx(tx, isAppendOnly)
		var revoked []revokedBefore
		references := map[string]string{} // of successors, by UUID
		err := eachCertificate(t, func(c vault.Certificate) {
			revoked = append(revoked, revocationsOf(c)...)
			if c.Supersedes != "" {
				references[c.UUID] = c.Reference
			}
		})
		if err != nil {
			return err
		}
		slices.SortStableFunc(revoked, func(a, b revokedBefore) int {
			return cmp.Or(cmp.Compare(a.institution, b.institution), a.At.Compare(b.At))
		})
		for _, r := range revoked {
			r.Successor = references[r.successor]
			if err := putRevocation(t, r.institution, r.RevocationRecord); err != nil {
				return err
			}
		}
		return t.Put(metaBucket, revocationsKey, []byte{1})
	})
	if err != nil {
		return fmt.Errorf("listing the revocations: %w", err)
	}
	return nil
}

// revokedBefore is a line for what was done before the list began.
type revokedBefore struct {
	vault.RevocationRecord

	institution uint32
	successor   string // UUID
}

// revocationsOf are the lines that a certificate would have. One that was replaced and then
// revoked has two.
func revocationsOf(c vault.Certificate) (all []revokedBefore) {
	if c.SupersededBy != "" {
		replaced := c
		replaced.Revocation = nil
		r, _ := replaced.RevocationSince(vault.Certificate{})
		all = append(all, revokedBefore{r, c.Institution, c.SupersededBy})
	}
	if c.Revocation != nil {
		r, _ := c.RevocationSince(vault.Certificate{})
		all = append(all, revokedBefore{r, c.Institution, ""})
	}
	return all
}

// eachCertificate reads all certificates that can be read.
func eachCertificate(t *boltfile.Tx, each func(vault.Certificate)) error {
	return t.Bucket(certificatesBucket).ForEach(func(k, v []byte) error {
		var c vault.Certificate
		if boltfile.Decode(k, v, &c) == nil { // who reads a damaged record is told so; the store opens
			each(c)
		}
		return nil
	})
}
