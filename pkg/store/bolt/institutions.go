package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// The buckets; schema.go draws all.
var (
	institutionsBucket = []byte("institutions")
	tokensBucket       = []byte("tokens")
	tokenByHashBucket  = []byte("by_hash")
)

// institutionBuckets returns the buckets above, for the schema.
func institutionBuckets() [][]byte {
	return [][]byte{institutionsBucket, tokensBucket, tokenByHashBucket}
}

// AddInstitution implements store.Institutions.
func (s *Store) AddInstitution(ctx context.Context, i vault.Institution) (vault.Institution, error) {
	return writeTx(ctx, s, func(t *txn) (vault.Institution, error) {
		if err := i.Validate(); err != nil {
			return i, err
		}
		id, err := t.Bucket(institutionsBucket).NextSequence()
		if err != nil {
			return i, fmt.Errorf("numbering an institution: %w", err)
		}
		i.ID = uint32(id)
		return i, t.putInstitution(i)
	})
}

// ChangeInstitution implements store.Institutions.
func (s *Store) ChangeInstitution(ctx context.Context, i vault.Institution) error {
	return s.update(ctx, func(t *txn) error {
		if err := i.Validate(); err != nil {
			return err
		}
		if t.Get(institutionsBucket, boltfile.U32(i.ID)) == nil {
			return noInstitution()
		}
		return t.putInstitution(i)
	})
}

func (t *txn) putInstitution(i vault.Institution) error {
	t.about.note(i.ID, "institution "+i.Slug, "")
	return t.PutRecord(institutionsBucket, boltfile.U32(i.ID), i)
}

// Institutions implements store.Institutions.
func (s *Store) Institutions(ctx context.Context) ([]vault.Institution, error) {
	return readTx(ctx, s, func(t *txn) (all []vault.Institution, err error) {
		err = t.Bucket(institutionsBucket).ForEach(func(k, v []byte) error {
			var i vault.Institution
			err := boltfile.Decode(k, v, &i)
			all = append(all, i)
			return err
		})
		return all, err
	})
}

// RemoveInstitution implements store.Institutions.
func (s *Store) RemoveInstitution(ctx context.Context, id uint32) error {
	defer s.tokenCache.clear()
	return s.update(ctx, func(t *txn) error {
		key := boltfile.U32(id)
		if t.Get(institutionsBucket, key) == nil {
			return noInstitution()
		}
		if err := t.checkEmpty(id); err != nil {
			return err
		}
		if bytes.Equal(t.Get(metaBucket, currentInstitutionKey), key) {
			if err := t.Delete(metaBucket, currentInstitutionKey); err != nil {
				return err
			}
		}
		if err := t.deleteTokens(id); err != nil {
			return err
		}
		if err := t.noteInstitution(id); err != nil {
			return err
		}
		return t.Delete(institutionsBucket, key)
	})
}

// checkEmpty refuses to remove an institution of which something is kept.
func (t *txn) checkEmpty(id uint32) error {
	kept := func(what string) error {
		return fault.Newf(fault.Illegal, "the institution has %s, so it can be closed, not removed", what)
	}
	counts, err := t.counts(id, "")
	if err != nil {
		return err
	}
	if counts.Sum() > 0 {
		return kept("certificates or applications")
	}
	for _, one := range []struct {
		bucket []byte
		what   string
	}{{batchesBucket, "batches"}, {endpointsBucket, "webhooks"}, {deliveriesBucket, "deliveries of webhooks"}, {uploadsBucket, "uploaded files"}} {
		if t.HasPrefix(one.bucket, boltfile.U32(id)) {
			return kept(one.what)
		}
	}
	return nil
}

// deleteTokens deletes the tokens of an institution.
func (t *txn) deleteTokens(institution uint32) error {
	var gone []apiaccess.Token
	err := t.Bucket(tokensBucket).ForEach(func(k, v []byte) error {
		var token apiaccess.Token
		err := boltfile.Decode(k, v, &token)
		if token.Institution == institution {
			gone = append(gone, token)
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, token := range gone {
		if err := t.Delete(tokenByHashBucket, []byte(token.Hash)); err != nil {
			return err
		}
		if err := t.Delete(tokensBucket, []byte(token.ID)); err != nil {
			return err
		}
	}
	return nil
}

// currentInstitutionKey is where the primary institution is noted; earlier versions noted
// there whose staff was served.
var currentInstitutionKey = []byte("institution")

// UseInstitution implements store.Institutions.
func (s *Store) UseInstitution(ctx context.Context, id uint32) error {
	return s.update(ctx, func(t *txn) error {
		if t.Get(institutionsBucket, boltfile.U32(id)) == nil {
			return noInstitution()
		}
		if err := t.noteInstitution(id); err != nil {
			return err
		}
		return t.Put(metaBucket, currentInstitutionKey, boltfile.U32(id))
	})
}

// CurrentInstitution implements store.Institutions.
func (s *Store) CurrentInstitution(ctx context.Context) (vault.Institution, error) {
	return readTx(ctx, s, func(t *txn) (i vault.Institution, err error) {
		key := t.Get(metaBucket, currentInstitutionKey)
		value := t.Get(institutionsBucket, key)
		if value == nil {
			key, value = t.Bucket(institutionsBucket).Cursor().First()
		}
		if value == nil {
			return i, noInstitution()
		}
		err = boltfile.Decode(key, value, &i)
		return i, err
	})
}

// institutionKeys lists the institutions' keys, valid inside the transaction.
func (t *txn) institutionKeys() (keys [][]byte) {
	c := t.Cursor(institutionsBucket)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		keys = append(keys, k)
	}
	return keys
}

func noInstitution() error { return fault.New(fault.NotFound, "Institution not found.") }
