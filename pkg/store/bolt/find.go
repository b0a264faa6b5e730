package bolt

import (
	"bytes"
	"context"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func upper(s string) string { return strings.ToUpper(s) }

// Certificate implements store.Certificates.
func (s *Store) Certificate(ctx context.Context, institution uint32, name string) (c vault.Certificate, err error) {
	err = s.read(ctx, func(t *txn) error {
		c, err = t.find(institution, name)
		return err
	})
	return c, err
}

// ByID implements store.Certificates.
func (s *Store) ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error) {
	found := make([]vault.Certificate, len(ids))
	err := s.read(ctx, func(t *txn) (err error) {
		for i, id := range ids {
			if found[i], err = t.certificate(u64(id)); err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// Holders implements store.Certificates.
func (s *Store) Holders(ctx context.Context, institution uint32, keys []vault.Key) ([]*vault.Certificate, error) {
	holders := make([]*vault.Certificate, len(keys))
	err := s.read(ctx, func(t *txn) error {
		for i, k := range keys {
			id := t.get(byKey, keyKey(institution, k))
			if id == nil {
				continue
			}
			c, err := t.certificate(id)
			if err != nil {
				return err
			}
			holders[i] = &c
		}
		return nil
	})
	return holders, err
}

// Frozen implements store.Certificates.
func (s *Store) Frozen(ctx context.Context, institution uint32, keys []vault.Key) ([]vault.Date, error) {
	dates := make([]vault.Date, len(keys))
	err := s.read(ctx, func(t *txn) error {
		for i, k := range keys {
			key := keyKey(institution, k)
			if value := t.get(frozen, key); value != nil {
				date, err := unseal(key, value)
				if err != nil {
					return err
				}
				dates[i] = vault.Date(date)
			}
		}
		return nil
	})
	return dates, err
}

// Tail implements store.Certificates.
func (s *Store) Tail(ctx context.Context, id uint64) (tail []byte, err error) {
	err = s.read(ctx, func(t *txn) error {
		key := u64(id)
		value := t.get(tails, key)
		if value == nil {
			return fault.New(fault.NotFound, "this certificate has no verified PDF")
		}
		body, err := unseal(key, value)
		tail = bytes.Clone(body)
		return err
	})
	return tail, err
}

// Events implements store.Certificates.
func (s *Store) Events(ctx context.Context, id uint64) ([]vault.Event, error) {
	var found []vault.Event
	err := s.read(ctx, func(t *txn) error {
		c := t.bucket(eventsByCert).Cursor()
		for k, _ := c.Seek(u64(id)); bytes.HasPrefix(k, u64(id)); k, _ = c.Next() {
			var e vault.Event
			key := k[8:]
			if err := decode(key, t.get(events, key), &e); err != nil {
				return err
			}
			found = append(found, e)
		}
		return nil
	})
	return found, err
}

// Counts implements store.Certificates.
func (s *Store) Counts(ctx context.Context, institution uint32) (c vault.Counts, err error) {
	err = s.read(ctx, func(t *txn) error {
		c, err = t.counts(u32(institution))
		return err
	})
	return c, err
}

// Referenced implements store.Certificates.
func (s *Store) Referenced(ctx context.Context, sum string) (found bool, err error) {
	err = s.read(ctx, func(t *txn) error {
		k, _ := t.bucket(byBlob).Cursor().Seek([]byte(sum))
		found = len(k) == len(sum)+8 && bytes.HasPrefix(k, []byte(sum))
		return nil
	})
	return found, err
}
