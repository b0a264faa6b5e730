package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Insert implements store.Certificates.
func (s *Store) Insert(ctx context.Context, rows []store.NewCertificate) ([]store.InsertResult, error) {
	return writeTx(ctx, s, func(t *txn) ([]store.InsertResult, error) {
		result := make([]store.InsertResult, len(rows))
		twins, err := t.checkInserts(rows, result)
		if err != nil {
			return nil, err
		}
		if rows, err = t.enterInserted(rows, result); err != nil {
			return nil, err
		}
		for i, row := range rows {
			if result[i].Duplicate {
				continue
			}
			if result[i].Certificate, err = t.insert(row); err != nil {
				return nil, err
			}
		}
		if err := t.flushEntries(); err != nil {
			return nil, err
		}
		for i, first := range twins {
			result[i].Certificate = result[first].Certificate
		}
		return result, nil
	})
}

// keyOwner is a uniqueness key of an institution.
type keyOwner struct {
	institution uint32
	key         vault.Key
}

// checkInserts finds, before anything is written, the duplicates of what is
// stored, the duplicates within the call (returned: row -> the row it repeats),
// and identities that are taken.
func (t *txn) checkInserts(rows []store.NewCertificate, result []store.InsertResult) (map[int]int, error) {
	if err := t.refuseCancelledBatches(rows); err != nil {
		return nil, err
	}
	twins := map[int]int{}
	first := make(map[keyOwner]int, len(rows))
	drawn := make(map[string]bool, 2*len(rows))
	for i, row := range rows {
		c := row.Certificate
		key := keyOwner{c.Institution, c.Key()}
		holder, err := t.keyHolder(c.Institution, c.Key())
		if err != nil {
			return nil, err
		}
		if holder != nil {
			result[i] = store.InsertResult{Certificate: *holder, Duplicate: true}
			continue
		}
		if earlier, ok := first[key]; ok {
			twins[i], result[i].Duplicate = earlier, true
			continue
		}
		first[key] = i
		for _, k := range c.KeyAliases() {
			if _, held := first[keyOwner{c.Institution, k}]; !held {
				first[keyOwner{c.Institution, k}] = i
			}
		}
		taken, err := t.identityTaken(c.Identity)
		if err != nil {
			return nil, err
		}
		uuid := boltfile.UUID(c.UUID)
		if taken || drawn[string(uuid)] || drawn[c.Reference] || c.ShareToken != "" && drawn[c.ShareToken] {
			return nil, fault.New(fault.Conflict, "the identity drawn for a certificate is taken; draw another")
		}
		drawn[string(uuid)], drawn[c.Reference], drawn[c.ShareToken] = true, true, true
	}
	return twins, nil
}

// refuseCancelledBatches refuses rows for a batch that was cancelled.
func (t *txn) refuseCancelledBatches(rows []store.NewCertificate) error {
	last := ""
	for _, row := range rows {
		c := row.Certificate
		if c.Batch == "" || c.Batch == last {
			continue
		}
		last = c.Batch
		b, err := t.batch(c.Institution, c.Batch)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if b.Cancelled() {
			return fault.Newf(fault.Illegal, "batch %s was cancelled; submit its manifest again to continue it", b.Name)
		}
	}
	return nil
}

// insert keeps a certificate; its index entries are written by flushEntries.
func (t *txn) insert(row store.NewCertificate) (vault.Certificate, error) {
	c, err := t.addCertificate(row.Certificate)
	if err != nil {
		return c, err
	}
	if row.Freeze != nil {
		if err := t.freezeDate(c.Institution, *row.Freeze, c.IssueDate); err != nil {
			return c, err
		}
	}
	return c, t.applyEffects(c, row.Effects)
}

// applyEffects commits what follows from a change of c.
func (t *txn) applyEffects(c vault.Certificate, fx vault.Effects) error {
	for _, e := range fx.Events {
		if err := t.addEvent(c.ID, e); err != nil {
			return err
		}
	}
	for _, j := range fx.Jobs {
		j.Certificate, j.Institution, j.Batch = c.ID, c.Institution, c.Batch
		if err := t.addJob(j); err != nil {
			return err
		}
	}
	for _, m := range fx.Mails {
		m.Certificate, m.Institution, m.Batch = c.ID, c.Institution, c.Batch
		if _, err := t.addMail(m); err != nil {
			return err
		}
	}
	if fx.Tail != nil {
		if err := t.putTail(c, fx.Tail); err != nil {
			return err
		}
	}
	if len(fx.Update) > 0 {
		return t.addUpdate(c, fx.Update)
	}
	return nil
}
