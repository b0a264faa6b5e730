// Package institution keeps the institutions of a home, and their API tokens.
package institution

import (
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; package schema draws them.
var (
	meta         = []byte("meta")
	institutions = []byte("institutions")
	tokens       = []byte("tokens")
	byHash       = []byte("by_hash")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{institutions, tokens, byHash} }

// Register implements store.Institutions and store.Tokens.
type Register struct {
	read, write func(context.Context, func(*tree.Tx) error) error
	remembered  remembered
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*tree.Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

// AddInstitution implements store.Institutions.
func (s *Register) AddInstitution(ctx context.Context, i vault.Institution) (vault.Institution, error) {
	return tree.Run(ctx, s.write, func(t *tree.Tx) (vault.Institution, error) {
		if err := i.Validate(); err != nil {
			return i, err
		}
		id, err := t.Bucket(institutions).NextSequence()
		if err != nil {
			return i, fmt.Errorf("numbering an institution: %w", err)
		}
		i.ID = uint32(id)
		return i, putInstitution(t, i)
	})
}

// ChangeInstitution implements store.Institutions.
func (s *Register) ChangeInstitution(ctx context.Context, i vault.Institution) error {
	return s.write(ctx, func(t *tree.Tx) error {
		if err := i.Validate(); err != nil {
			return err
		}
		if t.Get(institutions, record.U32(i.ID)) == nil {
			return noInstitution()
		}
		return putInstitution(t, i)
	})
}

func putInstitution(t *tree.Tx, i vault.Institution) error {
	return t.Keep(institutions, record.U32(i.ID), i)
}

// Institutions implements store.Institutions.
func (s *Register) Institutions(ctx context.Context) ([]vault.Institution, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (all []vault.Institution, err error) {
		err = t.Bucket(institutions).ForEach(func(k, v []byte) error {
			var i vault.Institution
			err := record.Decode(k, v, &i)
			all = append(all, i)
			return err
		})
		return all, err
	})
}

// currentKey is where the current institution is noted.
var currentKey = []byte("institution")

// UseInstitution implements store.Institutions.
func (s *Register) UseInstitution(ctx context.Context, id uint32) error {
	return s.write(ctx, func(t *tree.Tx) error {
		if t.Get(institutions, record.U32(id)) == nil {
			return noInstitution()
		}
		return t.Put(meta, currentKey, record.U32(id))
	})
}

// CurrentInstitution implements store.Institutions.
func (s *Register) CurrentInstitution(ctx context.Context) (vault.Institution, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (i vault.Institution, err error) {
		key := t.Get(meta, currentKey)
		value := t.Get(institutions, key)
		if value == nil {
			key, value = t.Bucket(institutions).Cursor().First()
		}
		if value == nil {
			return i, noInstitution()
		}
		err = record.Decode(key, value, &i)
		return i, err
	})
}

// Keys lists the institutions' keys, valid inside the transaction.
func Keys(t *tree.Tx) (keys [][]byte) {
	c := t.Cursor(institutions)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		keys = append(keys, k)
	}
	return keys
}

func noInstitution() error { return fault.New(fault.NotFound, "Institution not found.") }
