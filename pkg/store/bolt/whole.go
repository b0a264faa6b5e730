package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/upload"
	"github.com/vecctl/vecctl/pkg/vault"
)

// AcceptWhole implements store.Certificates.
func (s *Store) AcceptWhole(ctx context.Context, w store.Whole) ([]vault.Certificate, []store.Refused, error) {
	var refused []store.Refused
	made, err := write(ctx, s, func(t *txn) (made []vault.Certificate, err error) {
		if refused, err = t.checkWhole(w); err != nil || len(refused) > 0 {
			return nil, err
		}
		if w.Batch != nil {
			if _, err := batch.Add(t.Tx, *w.Batch); err != nil {
				return nil, err
			}
		}
		made = make([]vault.Certificate, len(w.Rows))
		for i, row := range w.Rows {
			if made[i], err = t.accept(row.Acceptance); err != nil {
				return nil, err
			}
			if row.Upload == "" {
				continue
			}
			if err := upload.Drop(t.Tx, made[i].Institution, row.Upload); err != nil {
				return nil, err
			}
		}
		if err := t.Lead(); err != nil {
			return nil, err
		}
		if w.Reply == nil {
			return made, nil
		}
		reply, err := w.Reply(made)
		if err != nil {
			return nil, err
		}
		return made, upload.PutReply(t.Tx, reply)
	})
	return made, refused, err
}

// checkWhole finds, before anything is written, the rows that cannot be kept.
func (t *txn) checkWhole(w store.Whole) (refused []store.Refused, err error) {
	rows := make([]store.Acceptance, len(w.Rows))
	for i, row := range w.Rows {
		rows[i] = row.Acceptance
	}
	result := make([]store.Accepted, len(rows))
	if _, err := t.checkAcceptances(rows, result); err != nil {
		return nil, err
	}
	named := map[string]bool{}
	for i, row := range w.Rows {
		if result[i].Duplicate {
			refused = append(refused, store.Refused{Row: i, Duplicate: true})
			continue
		}
		if row.Upload == "" {
			continue
		}
		key := upload.Key(row.Certificate.Institution, row.Upload)
		if !upload.Has(t.Tx, key) || named[string(key)] {
			refused = append(refused, store.Refused{Row: i})
		}
		named[string(key)] = true
	}
	return refused, nil
}
