package bolt

import (
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// AddInstitution implements store.Institutions.
func (s *Store) AddInstitution(ctx context.Context, i vault.Institution) (vault.Institution, error) {
	err := s.write(ctx, func(t *txn) error {
		if err := i.Validate(); err != nil {
			return err
		}
		id, err := t.bucket(institutions).NextSequence()
		if err != nil {
			return fmt.Errorf("numbering an institution: %w", err)
		}
		i.ID = uint32(id)
		return t.putInstitution(i)
	})
	return i, err
}

// ChangeInstitution implements store.Institutions.
func (s *Store) ChangeInstitution(ctx context.Context, i vault.Institution) error {
	return s.write(ctx, func(t *txn) error {
		if err := i.Validate(); err != nil {
			return err
		}
		if t.get(institutions, u32(i.ID)) == nil {
			return fault.New(fault.NotFound, "Institution not found.")
		}
		return t.putInstitution(i)
	})
}

func (t *txn) putInstitution(i vault.Institution) error {
	value, err := encode(u32(i.ID), i)
	if err != nil {
		return err
	}
	return t.put(institutions, u32(i.ID), value)
}

// Institutions implements store.Institutions.
func (s *Store) Institutions(ctx context.Context) (all []vault.Institution, err error) {
	err = s.read(ctx, func(t *txn) error {
		return t.bucket(institutions).ForEach(func(k, v []byte) error {
			var i vault.Institution
			if err := decode(k, v, &i); err != nil {
				return err
			}
			all = append(all, i)
			return nil
		})
	})
	return all, err
}
