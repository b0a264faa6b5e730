package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/event"
	"github.com/vecctl/vecctl/pkg/store/bolt/job"
	"github.com/vecctl/vecctl/pkg/store/bolt/mail"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Accept implements store.Certificates.
func (s *Store) Accept(ctx context.Context, rows []store.Acceptance) ([]store.Accepted, error) {
	return write(ctx, s, func(t *txn) ([]store.Accepted, error) {
		result := make([]store.Accepted, len(rows))
		twins, err := t.checkAcceptances(rows, result)
		if err != nil {
			return nil, err
		}
		for i, row := range rows {
			if result[i].Duplicate {
				continue
			}
			if result[i].Certificate, err = t.accept(row); err != nil {
				return nil, err
			}
		}
		if err := t.putEntries(); err != nil {
			return nil, err
		}
		for i, first := range twins {
			result[i].Certificate = result[first].Certificate
		}
		return result, nil
	})
}

// checkAcceptances finds, before anything is written, the duplicates of what is
// stored, the duplicates within the call (returned: row -> the row it repeats),
// and identities that are taken.
func (t *txn) checkAcceptances(rows []store.Acceptance, result []store.Accepted) (map[int]int, error) {
	if err := t.refuseCancelled(rows); err != nil {
		return nil, err
	}
	twins := map[int]int{}
	first := make(map[string]int, len(rows))
	drawn := make(map[string]bool, 2*len(rows))
	for i, row := range rows {
		c := row.Certificate
		key := keyKey(c.Institution, c.Key())
		holder, err := t.holder(c.Institution, c.Key())
		if err != nil {
			return nil, err
		}
		if holder != nil {
			result[i] = store.Accepted{Certificate: *holder, Duplicate: true}
			continue
		}
		if earlier, ok := first[string(key)]; ok {
			twins[i], result[i].Duplicate = earlier, true
			continue
		}
		first[string(key)] = i
		uuid := record.UUID(c.UUID)
		if uuid == nil || c.Reference == "" {
			return nil, fault.New(fault.Invalid, "a certificate needs a UUID and a reference ID")
		}
		if t.Get(byUUID, uuid) != nil || t.Get(byReference, []byte(c.Reference)) != nil ||
			drawn[string(uuid)] || drawn[c.Reference] || t.shareTaken(c.ShareToken) || c.ShareToken != "" && drawn[c.ShareToken] {
			return nil, fault.New(fault.Conflict, "the identity drawn for a certificate is taken; draw another")
		}
		drawn[string(uuid)], drawn[c.Reference], drawn[c.ShareToken] = true, true, true
	}
	return twins, nil
}

// refuseCancelled refuses rows for a batch that was cancelled.
func (t *txn) refuseCancelled(rows []store.Acceptance) error {
	last := ""
	for _, row := range rows {
		c := row.Certificate
		if c.Batch == "" || c.Batch == last {
			continue
		}
		last = c.Batch
		b, err := batch.Get(t.Tx, c.Institution, c.Batch)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if b.Cancelled() {
			return fault.Newf(fault.Illegal, "batch %s was cancelled; hand its manifest in again to go on with it", b.Name)
		}
	}
	return nil
}

// accept keeps a certificate; the entries that lead to it are written by
// putEntries.
func (t *txn) accept(row store.Acceptance) (vault.Certificate, error) {
	c := row.Certificate
	id, err := t.Bucket(certificates).NextSequence()
	if err != nil {
		return c, fmt.Errorf("numbering a certificate: %w", err)
	}
	c.ID = id
	if err := t.putCertificate(c); err != nil {
		return c, err
	}
	for _, e := range indexesOf(c) {
		// A successor leaves the key to the certificate that it replaces.
		if bytes.Equal(e.bucket, byKey) && c.Supersedes != "" && t.Get(byKey, e.key) != nil {
			continue
		}
		t.entries = append(t.entries, e)
	}
	t.changes.Add(c)
	t.count(c, 1)
	if row.Freeze != nil {
		if err := t.freeze(keyKey(c.Institution, *row.Freeze), c.IssueDate); err != nil {
			return c, err
		}
	}
	return c, t.effects(c, row.Effects)
}

// freeze keeps the first date that is given for a row.
func (t *txn) freeze(key []byte, date vault.Date) error {
	if t.Get(frozen, key) != nil {
		return nil
	}
	return t.Put(frozen, key, record.Seal(key, []byte(date)))
}

func (t *txn) putCertificate(c vault.Certificate) error {
	t.changed = append(t.changed, c.Reference)
	key := record.U64(c.ID)
	value, err := record.Encode(key, c)
	if err != nil {
		return err
	}
	return t.Put(certificates, key, value)
}

func keyKey(institution uint32, k vault.Key) []byte {
	return record.Join(record.U32(institution), k[:])
}

// indexesOf lists the entries that lead to a new certificate.
func indexesOf(c vault.Certificate) []entry {
	id := record.U64(c.ID)
	all := []entry{
		{byUUID, record.UUID(c.UUID), id},
		{byReference, []byte(c.Reference), id},
		{byKey, keyKey(c.Institution, c.Key()), id},
	}
	for _, sum := range c.Documents() {
		all = append(all, entry{byBlob, record.Join([]byte(sum), id), nil})
	}
	if c.ShareToken != "" {
		all = append(all, entry{byShare, []byte(c.ShareToken), id})
	}
	return all
}

// effects commits what follows from a change of c.
func (t *txn) effects(c vault.Certificate, fx vault.Effects) error {
	for _, e := range fx.Events {
		if err := event.Add(&t.deliveries, c.ID, e); err != nil {
			return err
		}
	}
	for _, j := range fx.Jobs {
		j.Certificate, j.Institution, j.Batch = c.ID, c.Institution, c.Batch
		if err := job.Add(&t.batches, j); err != nil {
			return err
		}
	}
	for _, m := range fx.Mails {
		m.Certificate, m.Institution, m.Batch = c.ID, c.Institution, c.Batch
		if _, err := mail.Add(&t.batches, m); err != nil {
			return err
		}
	}
	if fx.Tail != nil {
		return t.Put(tails, record.U64(c.ID), record.Seal(record.U64(c.ID), fx.Tail))
	}
	return nil
}
