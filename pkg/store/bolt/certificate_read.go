package bolt

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Certificate implements store.Certificates.
func (s *Store) Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error) {
	return readTx(ctx, s, func(t *txn) (vault.Certificate, error) { return t.findCertificate(institution, name) })
}

// ByShareToken implements store.Certificates.
func (s *Store) ByShareToken(ctx context.Context, token string) (vault.Certificate, error) {
	return readTx(ctx, s, func(t *txn) (vault.Certificate, error) { return t.findByShareToken(token) })
}

// ByReference implements store.Certificates.
func (s *Store) ByReference(ctx context.Context, reference string) (vault.Certificate, error) {
	return readTx(ctx, s, func(t *txn) (vault.Certificate, error) { return t.findByReference(reference) })
}

// ByID implements store.Certificates.
func (s *Store) ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error) {
	return readTx(ctx, s, func(t *txn) (found []vault.Certificate, err error) {
		found = make([]vault.Certificate, len(ids))
		for i, id := range ids {
			if found[i], err = t.certificate(boltfile.U64(id)); err != nil {
				return nil, err
			}
		}
		return found, nil
	})
}

// KeyHolders implements store.Certificates.
func (s *Store) KeyHolders(ctx context.Context, institution uint32, keys []vault.Key) ([]*vault.Certificate, error) {
	return readTx(ctx, s, func(t *txn) (holders []*vault.Certificate, err error) {
		holders = make([]*vault.Certificate, len(keys))
		for i, k := range keys {
			if holders[i], err = t.keyHolder(institution, k); err != nil {
				return nil, err
			}
		}
		return holders, nil
	})
}

// FrozenDates implements store.Certificates.
func (s *Store) FrozenDates(ctx context.Context, institution uint32, keys []vault.Key) ([]vault.Date, error) {
	return readTx(ctx, s, func(t *txn) ([]vault.Date, error) {
		dates := make([]vault.Date, len(keys))
		for i, k := range keys {
			var err error
			if dates[i], err = t.frozenDate(institution, k); err != nil {
				return nil, err
			}
		}
		return dates, nil
	})
}

// Tail implements store.Certificates.
func (s *Store) Tail(ctx context.Context, id uint64) ([]byte, error) {
	return readTx(ctx, s, func(t *txn) ([]byte, error) { return t.tail(id) })
}

// Counts implements store.Certificates.
func (s *Store) Counts(ctx context.Context, institution uint32) (vault.Counts, error) {
	return readTx(ctx, s, func(t *txn) (vault.Counts, error) { return t.counts(institution, "") })
}

// BlobReferenced implements store.Certificates.
func (s *Store) BlobReferenced(ctx context.Context, sum string) (bool, error) {
	return readTx(ctx, s, func(t *txn) (bool, error) {
		if len(sum) != hex.EncodedLen(sha256.Size) {
			return false, nil
		}
		return t.hasDocument(sum) || t.uploadNeedsBlob(sum) || t.unconfirmedNeedsBlob(sum), nil
	})
}
