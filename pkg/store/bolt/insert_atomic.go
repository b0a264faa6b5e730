package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// InsertAtomic implements store.Certificates.
func (s *Store) InsertAtomic(ctx context.Context, w store.AtomicBatch) ([]vault.Certificate, []store.Conflict, error) {
	var refused []store.Conflict
	made, err := writeTx(ctx, s, func(t *txn) (made []vault.Certificate, err error) {
		if refused, err = t.checkAtomicBatch(w); err != nil || len(refused) > 0 {
			return nil, err
		}
		if w.Batch != nil {
			if _, err := t.addBatch(*w.Batch); err != nil {
				return nil, err
			}
		}
		made = make([]vault.Certificate, len(w.Rows))
		for i, row := range w.Rows {
			if made[i], err = t.insert(row.NewCertificate); err != nil {
				return nil, err
			}
			if row.Upload == "" {
				continue
			}
			if err := t.deleteUpload(made[i].Institution, row.Upload); err != nil {
				return nil, err
			}
		}
		if err := t.flushEntries(); err != nil {
			return nil, err
		}
		if w.Response == nil {
			return made, nil
		}
		reply, err := w.Response(made)
		if err != nil {
			return nil, err
		}
		return made, t.putResponse(reply)
	})
	return made, refused, err
}

// checkAtomicBatch finds, before anything is written, the rows that cannot be kept.
func (t *txn) checkAtomicBatch(w store.AtomicBatch) (refused []store.Conflict, err error) {
	rows := make([]store.NewCertificate, len(w.Rows))
	for i, row := range w.Rows {
		rows[i] = row.NewCertificate
	}
	result := make([]store.InsertResult, len(rows))
	if _, err := t.checkInserts(rows, result); err != nil {
		return nil, err
	}
	named := map[string]bool{}
	for i, row := range w.Rows {
		if result[i].Duplicate {
			refused = append(refused, store.Conflict{Row: i, Duplicate: true})
			continue
		}
		if row.Upload == "" {
			continue
		}
		key := uploadKey(row.Certificate.Institution, row.Upload)
		if !t.hasUpload(key) || named[string(key)] {
			refused = append(refused, store.Conflict{Row: i})
		}
		named[string(key)] = true
	}
	return refused, nil
}
