package bolt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/vecctl/vecctl/pkg/store/bolt/application"
	"github.com/vecctl/vecctl/pkg/store/bolt/count"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/upload"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Certificate implements store.Certificates.
func (s *Store) Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error) {
	return read(ctx, s, func(t *txn) (vault.Certificate, error) { return t.Find(institution, name) })
}

// Shared implements store.Certificates.
func (s *Store) Shared(ctx context.Context, token string) (vault.Certificate, error) {
	return read(ctx, s, func(t *txn) (vault.Certificate, error) { return t.Shared(token) })
}

// Referred implements store.Certificates.
func (s *Store) Referred(ctx context.Context, reference string) (vault.Certificate, error) {
	return read(ctx, s, func(t *txn) (vault.Certificate, error) { return t.Referred(reference) })
}

// ByID implements store.Certificates.
func (s *Store) ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error) {
	return read(ctx, s, func(t *txn) (found []vault.Certificate, err error) {
		found = make([]vault.Certificate, len(ids))
		for i, id := range ids {
			if found[i], err = t.Certificate(record.U64(id)); err != nil {
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
			if holders[i], err = t.Holder(institution, k); err != nil {
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
			var err error
			if dates[i], err = t.Frozen(institution, k); err != nil {
				return nil, err
			}
		}
		return dates, nil
	})
}

// Tail implements store.Certificates.
func (s *Store) Tail(ctx context.Context, id uint64) ([]byte, error) {
	return read(ctx, s, func(t *txn) ([]byte, error) { return t.Tail(id) })
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
		return t.Needs(sum) || upload.Needs(t.Tx, sum) || application.Needs(t.Tx, sum), nil
	})
}
