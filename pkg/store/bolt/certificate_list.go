package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// List implements store.Certificates. Which certificates are selected is found
// in the indexes alone; only the records of the page are read.
func (s *Store) List(ctx context.Context, f store.Filter, page, perPage int) (store.Page, error) {
	return readTx(ctx, s, func(t *txn) (result store.Page, err error) {
		ids, total, err := s.index.Find(ctx, t.Tx, f, page, perPage)
		if err != nil {
			return result, err
		}
		result = store.Page{Total: total, Certificates: make([]vault.Certificate, len(ids))}
		for i, id := range ids {
			if result.Certificates[i], err = t.certificate(boltfile.U64(id)); err != nil {
				return result, err
			}
		}
		return result, nil
	})
}

// Failures implements store.Certificates. It reads the newest certificate of each cause, and
// the indexes.
func (s *Store) Failures(ctx context.Context, institution uint32, batch string) ([]store.FailureCount, error) {
	return readTx(ctx, s, func(t *txn) ([]store.FailureCount, error) {
		groups, err := search.Failures(t.Tx, institution, batch)
		if err != nil {
			return nil, err
		}
		counts := make([]store.FailureCount, len(groups))
		for i, g := range groups {
			counts[i] = store.FailureCount{Code: g.Code, Count: g.Count}
			if counts[i].Latest, err = t.certificate(boltfile.U64(g.Latest)); err != nil {
				return nil, err
			}
		}
		return counts, nil
	})
}
