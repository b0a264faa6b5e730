package bolt

import (
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// AddInstitution implements store.Institutions.
func (s *Store) AddInstitution(ctx context.Context, i vault.Institution) (vault.Institution, error) {
	return write(ctx, s, func(t *txn) (vault.Institution, error) {
		if err := i.Validate(); err != nil {
			return i, err
		}
		id, err := t.bucket(institutions).NextSequence()
		if err != nil {
			return i, fmt.Errorf("numbering an institution: %w", err)
		}
		i.ID = uint32(id)
		return i, t.putInstitution(i)
	})
}

// ChangeInstitution implements store.Institutions.
func (s *Store) ChangeInstitution(ctx context.Context, i vault.Institution) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		if err := i.Validate(); err != nil {
			return struct{}{}, err
		}
		if t.get(institutions, u32(i.ID)) == nil {
			return struct{}{}, noInstitution()
		}
		return struct{}{}, t.putInstitution(i)
	})
	return err
}

func (t *txn) putInstitution(i vault.Institution) error {
	value, err := encode(u32(i.ID), i)
	if err != nil {
		return err
	}
	return t.put(institutions, u32(i.ID), value)
}

// Institutions implements store.Institutions.
func (s *Store) Institutions(ctx context.Context) ([]vault.Institution, error) {
	return read(ctx, s, func(t *txn) (all []vault.Institution, err error) {
		err = t.bucket(institutions).ForEach(func(k, v []byte) error {
			var i vault.Institution
			err := decode(k, v, &i)
			all = append(all, i)
			return err
		})
		return all, err
	})
}

// currentKey is where the current institution is noted.
var currentKey = []byte("institution")

// UseInstitution implements store.Institutions.
func (s *Store) UseInstitution(ctx context.Context, id uint32) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		if t.get(institutions, u32(id)) == nil {
			return struct{}{}, noInstitution()
		}
		return struct{}{}, t.put(metaBucket, currentKey, u32(id))
	})
	return err
}

// CurrentInstitution implements store.Institutions.
func (s *Store) CurrentInstitution(ctx context.Context) (vault.Institution, error) {
	return read(ctx, s, func(t *txn) (i vault.Institution, err error) {
		key := t.get(metaBucket, currentKey)
		value := t.get(institutions, key)
		if value == nil {
			key, value = t.bucket(institutions).Cursor().First()
		}
		if value == nil {
			return i, noInstitution()
		}
		err = decode(key, value, &i)
		return i, err
	})
}

func noInstitution() error { return fault.New(fault.NotFound, "Institution not found.") }
