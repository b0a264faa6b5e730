package bolt

import (
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
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

// currentInstitutionKey is where the current institution is noted.
var currentInstitutionKey = []byte("institution")

// UseInstitution implements store.Institutions.
func (s *Store) UseInstitution(ctx context.Context, id uint32) error {
	return s.update(ctx, func(t *txn) error {
		if t.Get(institutionsBucket, boltfile.U32(id)) == nil {
			return noInstitution()
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
