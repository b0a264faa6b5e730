package bolt

import (
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; schema.go draws them.
var (
	institutionsBucket = []byte("institutions")
	tokensBucket       = []byte("tokens")
	tokenByHashBucket  = []byte("by_hash")
)

// institutionBuckets are those that only this package writes to.
func institutionBuckets() [][]byte {
	return [][]byte{institutionsBucket, tokensBucket, tokenByHashBucket}
}

// institutionTable implements store.Institutions and store.Tokens.
type institutionTable struct {
	read, write func(context.Context, func(*boltfile.Tx) error) error
	tokenCache  tokenCache
}

// newInstitutionTable works with functions that run another in a transaction.
func newInstitutionTable(read, write func(context.Context, func(*boltfile.Tx) error) error) *institutionTable {
	return &institutionTable{read: read, write: write}
}

// AddInstitution implements store.Institutions.
func (s *institutionTable) AddInstitution(ctx context.Context, i vault.Institution) (vault.Institution, error) {
	return boltfile.RunTx(ctx, s.write, func(t *boltfile.Tx) (vault.Institution, error) {
		if err := i.Validate(); err != nil {
			return i, err
		}
		id, err := t.Bucket(institutionsBucket).NextSequence()
		if err != nil {
			return i, fmt.Errorf("numbering an institution: %w", err)
		}
		i.ID = uint32(id)
		return i, putInstitution(t, i)
	})
}

// ChangeInstitution implements store.Institutions.
func (s *institutionTable) ChangeInstitution(ctx context.Context, i vault.Institution) error {
	return s.write(ctx, func(t *boltfile.Tx) error {
		if err := i.Validate(); err != nil {
			return err
		}
		if t.Get(institutionsBucket, boltfile.U32(i.ID)) == nil {
			return noInstitution()
		}
		return putInstitution(t, i)
	})
}

func putInstitution(t *boltfile.Tx, i vault.Institution) error {
	return t.PutRecord(institutionsBucket, boltfile.U32(i.ID), i)
}

// Institutions implements store.Institutions.
func (s *institutionTable) Institutions(ctx context.Context) ([]vault.Institution, error) {
	return boltfile.RunTx(ctx, s.read, func(t *boltfile.Tx) (all []vault.Institution, err error) {
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
func (s *institutionTable) UseInstitution(ctx context.Context, id uint32) error {
	return s.write(ctx, func(t *boltfile.Tx) error {
		if t.Get(institutionsBucket, boltfile.U32(id)) == nil {
			return noInstitution()
		}
		return t.Put(metaBucket, currentInstitutionKey, boltfile.U32(id))
	})
}

// CurrentInstitution implements store.Institutions.
func (s *institutionTable) CurrentInstitution(ctx context.Context) (vault.Institution, error) {
	return boltfile.RunTx(ctx, s.read, func(t *boltfile.Tx) (i vault.Institution, err error) {
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
func institutionKeys(t *boltfile.Tx) (keys [][]byte) {
	c := t.Cursor(institutionsBucket)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		keys = append(keys, k)
	}
	return keys
}

func noInstitution() error { return fault.New(fault.NotFound, "Institution not found.") }
