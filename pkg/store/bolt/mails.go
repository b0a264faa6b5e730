package bolt

import (
	"bytes"
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; schema.go draws all.
var (
	mailsBucket              = []byte("mails")
	mailsByCertificateBucket = []byte("mails_by_cert")
	returnedMailsBucket      = []byte("mails_returned")
)

// mailBuckets returns the buckets above, for the schema.
func mailBuckets() [][]byte {
	return [][]byte{mailsBucket, mailsByCertificateBucket, returnedMailsBucket}
}

func noMail() error { return fault.New(fault.NotFound, "Mail not found.") }

// addMail keeps a new mail with the job of sending it.
func (t *txn) addMail(m vault.Mail) (vault.Mail, error) {
	id, err := t.Bucket(mailsBucket).NextSequence()
	if err != nil {
		return m, fmt.Errorf("numbering a mail: %w", err)
	}
	if m.JobID, err = t.nextJobID(); err != nil {
		return m, err
	}
	m.ID = id
	if m.Certificate != 0 {
		if err := t.Put(mailsByCertificateBucket, boltfile.JoinKey(boltfile.U64(m.Certificate), boltfile.U64(id)), nil); err != nil {
			return m, err
		}
	}
	if err := t.PutRecord(mailsBucket, boltfile.U64(m.ID), m); err != nil {
		return m, err
	}
	j := m.Job()
	j.ID = m.JobID
	return m, t.putJob(j)
}

// mail reads one; NotFound when there is none.
func (t *txn) mail(id uint64) (vault.Mail, error) {
	var m vault.Mail
	key := boltfile.U64(id)
	value := t.Get(mailsBucket, key)
	if value == nil {
		return m, noMail()
	}
	err := boltfile.Decode(key, value, &m)
	return m, err
}

// moveMail keeps the next state of a mail.
func (t *txn) moveMail(old, m vault.Mail) error {
	if err := t.PutRecord(mailsBucket, boltfile.U64(m.ID), m); err != nil || m.State == old.State {
		return err
	}
	switch m.State {
	case vault.MailRefused, vault.MailBounced:
		return t.Put(returnedMailsBucket, boltfile.U64(m.ID), nil)
	case vault.MailWaiting, vault.MailSent, vault.MailCancelled:
	}
	return nil
}

// moveMailAndJob is moveMail for a mail that may wait no longer: then its job ends.
func (t *txn) moveMailAndJob(old, m vault.Mail) error {
	if old.State == vault.MailWaiting && m.State != vault.MailWaiting {
		j, err := t.job(old.JobID)
		if err != nil {
			return err
		}
		switch {
		case j != nil && j.Claimed && m.State == vault.MailCancelled:
			return fault.Newf(fault.Illegal, "mail %d is being sent; try again in a moment", m.ID)
		case j != nil && !j.Claimed:
			if err := t.deleteJob(*j); err != nil {
				return err
			}
		}
	}
	return t.moveMail(old, m)
}

// QueueMail implements store.Mails.
func (s *Store) QueueMail(ctx context.Context, m vault.Mail) error {
	return s.update(ctx, func(t *txn) error {
		added, err := t.addMail(m)
		t.about.noteMail(added)
		return err
	})
}

// Mail implements store.Mails.
func (s *Store) Mail(ctx context.Context, institution uint32, id uint64) (vault.Mail, error) {
	return readTx(ctx, s, func(t *txn) (vault.Mail, error) { return t.mailOf(institution, id) })
}

// mailOf reads an institution's mail.
func (t *txn) mailOf(institution uint32, id uint64) (vault.Mail, error) {
	m, err := t.mail(id)
	if err == nil && m.Institution != institution {
		err = noMail()
	}
	return m, err
}

// MailsByID implements store.Mails.
func (s *Store) MailsByID(ctx context.Context, ids ...uint64) ([]vault.Mail, error) {
	return readTx(ctx, s, func(t *txn) (found []vault.Mail, err error) {
		found = make([]vault.Mail, len(ids))
		for i, id := range ids {
			if found[i], err = t.mail(id); err != nil {
				return nil, err
			}
		}
		return found, nil
	})
}

// ListMails implements store.Mails.
func (s *Store) ListMails(ctx context.Context, f store.MailFilter, n int) ([]vault.Mail, error) {
	return readTx(ctx, s, func(t *txn) (found []vault.Mail, err error) {
		c, prefix := t.mailCursor(f)
		for k := seekBelow(c, prefix, f.Below); k != nil && bytes.HasPrefix(k, prefix) && len(found) < n; k, _ = c.Prev() {
			m, err := t.mail(boltfile.LastID(k))
			if err != nil {
				return nil, err
			}
			if mailMatches(f, m) {
				found = append(found, m)
			}
		}
		return found, nil
	})
}

// seekBelow goes to the last key of a prefix, or to the last whose number is below one.
func seekBelow(c *bbolt.Cursor, prefix []byte, below uint64) []byte {
	if below == 0 {
		return boltfile.SeekLast(c, prefix)
	}
	k, _ := c.Seek(boltfile.JoinKey(prefix, boltfile.U64(below)))
	if k == nil {
		k, _ = c.Last()
		return k
	}
	k, _ = c.Prev()
	return k
}

// mailCursor walks through the narrowest index for a filter.
func (t *txn) mailCursor(f store.MailFilter) (c *bbolt.Cursor, prefix []byte) {
	switch {
	case f.Certificate != 0:
		return t.Bucket(mailsByCertificateBucket).Cursor(), boltfile.U64(f.Certificate)
	case f.Returned:
		return t.Bucket(returnedMailsBucket).Cursor(), nil
	}
	return t.Bucket(mailsBucket).Cursor(), nil
}

func mailMatches(f store.MailFilter, m vault.Mail) bool {
	return m.Institution == f.Institution && (f.Batch == "" || m.Batch == f.Batch) &&
		(f.State == "" || m.State == f.State) &&
		(!f.Returned || m.State == vault.MailRefused || m.State == vault.MailBounced)
}

// RepeatMail implements store.Mails.
func (s *Store) RepeatMail(ctx context.Context, institution uint32, id uint64,
	repeat func(vault.Mail) (vault.Mail, error)) (vault.Mail, error) {
	return writeTx(ctx, s, func(t *txn) (vault.Mail, error) {
		old, err := t.mailOf(institution, id)
		if err != nil {
			return old, err
		}
		next, err := repeat(old)
		if err != nil {
			return old, err
		}
		if err := t.Delete(returnedMailsBucket, boltfile.U64(old.ID)); err != nil {
			return old, err
		}
		t.about.noteMail(old)
		return t.addMail(next)
	})
}

// waitingMails lists a batch's mails that nobody is sending.
func (t *txn) waitingMails(institution uint32, batch string) (found []vault.Mail, err error) {
	jobs, err := t.waitingJobs(vault.JobMail, institution, batch)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if j.Mail == 0 {
			continue
		}
		m, err := t.mail(j.Mail)
		if err != nil {
			return nil, err
		}
		if m.State == vault.MailWaiting {
			found = append(found, m)
		}
	}
	return found, nil
}
