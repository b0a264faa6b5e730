package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

func correctionKey(institution uint32, id uint64) []byte {
	return record.Join(record.U32(institution), record.U64(id))
}

// AddCorrection implements store.Corrections.
func (s *Store) AddCorrection(ctx context.Context, c vault.Correction) (vault.Correction, error) {
	return write(ctx, s, func(t *txn) (vault.Correction, error) {
		open, err := t.corrections(c.Institution, func(o vault.Correction) bool { return o.Certificate == c.Certificate && !o.Done() })
		if err != nil {
			return c, err
		}
		if len(open) >= vault.MaxOpenCorrections {
			return c, fault.New(fault.Unavailable, "Requests about this certificate wait already; the institution will see to them.")
		}
		if c.ID, err = t.Bucket(corrections).NextSequence(); err != nil {
			return c, fmt.Errorf("numbering a correction: %w", err)
		}
		return c, t.putUnder(corrections, correctionKey(c.Institution, c.ID), c)
	})
}

// corrections reads those of an institution that are chosen.
func (t *txn) corrections(institution uint32, chosen func(vault.Correction) bool) (found []vault.Correction, err error) {
	prefix, c := record.U32(institution), t.Bucket(corrections).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		var one vault.Correction
		if err := record.Decode(k, v, &one); err != nil {
			return nil, err
		}
		if chosen(one) {
			found = append(found, one)
		}
	}
	return found, nil
}

// Corrections implements store.Corrections.
func (s *Store) Corrections(ctx context.Context, institution uint32, all bool) ([]vault.Correction, error) {
	return read(ctx, s, func(t *txn) ([]vault.Correction, error) {
		return t.corrections(institution, func(c vault.Correction) bool { return all || !c.Done() })
	})
}

// ChangeCorrection implements store.Corrections.
func (s *Store) ChangeCorrection(ctx context.Context, institution uint32, id uint64,
	change func(vault.Correction) (vault.Correction, error)) (vault.Correction, error) {
	return write(ctx, s, func(t *txn) (vault.Correction, error) {
		var old vault.Correction
		key := correctionKey(institution, id)
		value := t.Get(corrections, key)
		if value == nil {
			return old, fault.Newf(fault.NotFound, "There is no correction %d.", id)
		}
		if err := record.Decode(key, value, &old); err != nil {
			return old, err
		}
		changed, err := change(old)
		if err != nil {
			return old, err
		}
		return changed, t.putUnder(corrections, key, changed)
	})
}

// DropCorrections implements store.Corrections.
func (s *Store) DropCorrections(ctx context.Context, institution uint32, certificate string) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		return struct{}{}, t.dropCorrections(institution, certificate)
	})
	return err
}

func (t *txn) dropCorrections(institution uint32, certificate string) error {
	found, err := t.corrections(institution, func(c vault.Correction) bool { return c.Certificate == certificate })
	for _, c := range found {
		if err == nil {
			err = t.Delete(corrections, correctionKey(institution, c.ID))
		}
	}
	return err
}
