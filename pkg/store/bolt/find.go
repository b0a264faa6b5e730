package bolt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/application"
	"github.com/vecctl/vecctl/pkg/store/bolt/count"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/upload"
	"github.com/vecctl/vecctl/pkg/vault"
)

// certificate reads one by its key.
func (t *txn) certificate(id []byte) (vault.Certificate, error) {
	var c vault.Certificate
	value := t.Get(certificates, id)
	if value == nil {
		return c, fault.Newf(fault.Damaged, "certificate %x is missing from the database; restore the home from a backup", id)
	}
	err := record.Decode(id, value, &c)
	return c, err
}

// lookup reads the one that an index names, nil where it names none. Indexes
// carry no checksums: that it is the right one is seen by itself.
func (t *txn) lookup(index, key []byte, right func(vault.Certificate) bool) (*vault.Certificate, error) {
	id := t.Get(index, key)
	if id == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	c, err := t.certificate(id)
	if err == nil && !right(c) {
		err = record.Misplaced(index, key)
	}
	return &c, err
}

// holder reads the one that holds a uniqueness key, nil where nobody does.
func (t *txn) holder(institution uint32, k vault.Key) (*vault.Certificate, error) {
	return t.lookup(byKey, keyKey(institution, k), func(c vault.Certificate) bool { return c.Key() == k })
}

// find reads one by UUID or reference ID.
func (t *txn) find(institution uint32, name string) (found vault.Certificate, err error) {
	var c *vault.Certificate
	if vault.IsReference(name) {
		c, err = t.lookup(byReference, []byte(strings.ToUpper(name)),
			func(c vault.Certificate) bool { return strings.EqualFold(c.Reference, name) })
	} else if key := record.UUID(name); key != nil {
		c, err = t.lookup(byUUID, key, func(c vault.Certificate) bool { return strings.EqualFold(c.UUID, name) })
	}
	switch {
	case err != nil:
		return found, err
	case c == nil || c.Institution != institution:
		return found, noCertificate()
	}
	return *c, nil
}

// Certificate implements store.Certificates.
func (s *Store) Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error) {
	return read(ctx, s, func(t *txn) (vault.Certificate, error) { return t.find(institution, name) })
}

// ByID implements store.Certificates.
func (s *Store) ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error) {
	return read(ctx, s, func(t *txn) (found []vault.Certificate, err error) {
		found = make([]vault.Certificate, len(ids))
		for i, id := range ids {
			if found[i], err = t.certificate(record.U64(id)); err != nil {
				return nil, err
			}
		}
		return found, nil
	})
}

// Holders implements store.Certificates.
func (s *Store) Holders(ctx context.Context, institution uint32, keys []vault.Key) ([]*vault.Certificate, error) {
	return read(ctx, s, func(t *txn) (holders []*vault.Certificate, err error) {
		holders = make([]*vault.Certificate, len(keys))
		for i, k := range keys {
			if holders[i], err = t.holder(institution, k); err != nil {
				return nil, err
			}
		}
		return holders, nil
	})
}

// Frozen implements store.Certificates.
func (s *Store) Frozen(ctx context.Context, institution uint32, keys []vault.Key) ([]vault.Date, error) {
	return read(ctx, s, func(t *txn) ([]vault.Date, error) {
		dates := make([]vault.Date, len(keys))
		for i, k := range keys {
			key := keyKey(institution, k)
			if value := t.Get(frozen, key); value != nil {
				date, err := record.Unseal(key, value)
				if err != nil {
					return nil, err
				}
				dates[i] = vault.Date(date)
			}
		}
		return dates, nil
	})
}

// Tail implements store.Certificates.
func (s *Store) Tail(ctx context.Context, id uint64) ([]byte, error) {
	return read(ctx, s, func(t *txn) ([]byte, error) {
		value := t.Get(tails, record.U64(id))
		if value == nil {
			return nil, fault.New(fault.NotFound, "this certificate has no verified PDF")
		}
		body, err := record.Unseal(record.U64(id), value)
		return bytes.Clone(body), err
	})
}

// Counts implements store.Certificates.
func (s *Store) Counts(ctx context.Context, institution uint32) (vault.Counts, error) {
	return read(ctx, s, func(t *txn) (vault.Counts, error) { return count.Of(t.Tx, institution, "") })
}

// Referenced implements store.Certificates.
func (s *Store) Referenced(ctx context.Context, sum string) (bool, error) {
	return read(ctx, s, func(t *txn) (bool, error) {
		if len(sum) != hex.EncodedLen(sha256.Size) {
			return false, nil
		}
		return t.Begins(byBlob, []byte(sum)) || upload.Needs(t.Tx, sum) || application.Needs(t.Tx, sum), nil
	})
}
