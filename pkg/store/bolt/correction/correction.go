// Package correction keeps what recipients wish to have corrected.
package correction

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The bucket; package schema draws it.
var corrections = []byte("corrections")

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{corrections} }

// Register implements store.Corrections.
type Register struct {
	read, write func(context.Context, func(*tree.Tx) error) error
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*tree.Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

func key(institution uint32, id uint64) []byte {
	return record.Join(record.U32(institution), record.U64(id))
}

// AddCorrection implements store.Corrections.
func (s *Register) AddCorrection(ctx context.Context, c vault.Correction) (vault.Correction, error) {
	return tree.Run(ctx, s.write, func(t *tree.Tx) (vault.Correction, error) {
		open, err := list(t, c.Institution, func(o vault.Correction) bool { return o.Certificate == c.Certificate && !o.Done() })
		if err != nil {
			return c, err
		}
		if len(open) >= vault.MaxOpenCorrections {
			return c, fault.New(fault.Unavailable, "Requests about this certificate wait already; the institution will see to them.")
		}
		if c.ID, err = t.Bucket(corrections).NextSequence(); err != nil {
			return c, fmt.Errorf("numbering a correction: %w", err)
		}
		return c, t.Keep(corrections, key(c.Institution, c.ID), c)
	})
}

// list reads those of an institution that are chosen.
func list(t *tree.Tx, institution uint32, chosen func(vault.Correction) bool) (found []vault.Correction, err error) {
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
func (s *Register) Corrections(ctx context.Context, institution uint32, all bool) ([]vault.Correction, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) ([]vault.Correction, error) {
		return list(t, institution, func(c vault.Correction) bool { return all || !c.Done() })
	})
}

// ChangeCorrection implements store.Corrections.
func (s *Register) ChangeCorrection(ctx context.Context, institution uint32, id uint64,
	change func(vault.Correction) (vault.Correction, error)) (vault.Correction, error) {
	return tree.Run(ctx, s.write, func(t *tree.Tx) (vault.Correction, error) {
		var old vault.Correction
		at := key(institution, id)
		value := t.Get(corrections, at)
		if value == nil {
			return old, fault.Newf(fault.NotFound, "There is no correction %d.", id)
		}
		if err := record.Decode(at, value, &old); err != nil {
			return old, err
		}
		changed, err := change(old)
		if err != nil {
			return old, err
		}
		return changed, t.Keep(corrections, at, changed)
	})
}

// DropCorrections implements store.Corrections.
func (s *Register) DropCorrections(ctx context.Context, institution uint32, certificate string) error {
	return s.write(ctx, func(t *tree.Tx) error { return Drop(t, institution, certificate) })
}

// Drop forgets all wishes about a certificate.
func Drop(t *tree.Tx, institution uint32, certificate string) error {
	found, err := list(t, institution, func(c vault.Correction) bool { return c.Certificate == certificate })
	for _, c := range found {
		if err == nil {
			err = t.Delete(corrections, key(institution, c.ID))
		}
	}
	return err
}
