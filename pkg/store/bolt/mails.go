package bolt

import (
	"bytes"
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; schema.go draws them.
var (
	mailsBucket              = []byte("mails")
	mailsByCertificateBucket = []byte("mails_by_cert")
	returnedMailsBucket      = []byte("mails_returned")
)

// mailBuckets are those that only this package writes to.
func mailBuckets() [][]byte {
	return [][]byte{mailsBucket, mailsByCertificateBucket, returnedMailsBucket}
}

// mailTable implements the part of store.Mails that is about mails alone.
type mailTable struct {
	read, write func(context.Context, func(*batchTx) error) error
}

// newMailTable works with functions that run another in a transaction.
func newMailTable(read, write func(context.Context, func(*batchTx) error) error) *mailTable {
	return &mailTable{read: read, write: write}
}

func noMail() error { return fault.New(fault.NotFound, "Mail not found.") }

// addMail keeps a new mail with the job of sending it.
func addMail(t *batchTx, m vault.Mail) (vault.Mail, error) {
	id, err := t.Bucket(mailsBucket).NextSequence()
	if err != nil {
		return m, fmt.Errorf("numbering a mail: %w", err)
	}
	if m.JobID, err = nextJobID(t.Tx); err != nil {
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
	return m, putJob(t, j)
}

// getMail reads one; NotFound when there is none.
func getMail(t *boltfile.Tx, id uint64) (vault.Mail, error) {
	var m vault.Mail
	key := boltfile.U64(id)
	value := t.Get(mailsBucket, key)
	if value == nil {
		return m, noMail()
	}
	err := boltfile.Decode(key, value, &m)
	return m, err
}

// moveMail keeps what became of a mail.
func moveMail(t *boltfile.Tx, old, m vault.Mail) error {
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

// moveMailAndJob is Move for a mail that may wait no longer: then its job ends.
func moveMailAndJob(t *boltfile.Tx, old, m vault.Mail) error {
	if old.State == vault.MailWaiting && m.State != vault.MailWaiting {
		j, err := getJob(t, old.JobID)
		if err != nil {
			return err
		}
		switch {
		case j != nil && j.Claimed && m.State == vault.MailCancelled:
			return fault.Newf(fault.Illegal, "mail %d is being sent at this moment", m.ID)
		case j != nil && !j.Claimed:
			if err := deleteJob(t, *j); err != nil {
				return err
			}
		}
	}
	return moveMail(t, old, m)
}

// QueueMail implements store.Mails.
func (s *mailTable) QueueMail(ctx context.Context, m vault.Mail) error {
	return s.write(ctx, func(t *batchTx) error {
		_, err := addMail(t, m)
		return err
	})
}

// Mail implements store.Mails.
func (s *mailTable) Mail(ctx context.Context, institution uint32, id uint64) (vault.Mail, error) {
	return boltfile.RunTx(ctx, s.read, func(t *batchTx) (vault.Mail, error) { return getMailOf(t.Tx, institution, id) })
}

// getMailOf reads an institution's mail.
func getMailOf(t *boltfile.Tx, institution uint32, id uint64) (vault.Mail, error) {
	m, err := getMail(t, id)
	if err == nil && m.Institution != institution {
		err = noMail()
	}
	return m, err
}

// MailsByID implements store.Mails.
func (s *mailTable) MailsByID(ctx context.Context, ids ...uint64) ([]vault.Mail, error) {
	return boltfile.RunTx(ctx, s.read, func(t *batchTx) (found []vault.Mail, err error) {
		found = make([]vault.Mail, len(ids))
		for i, id := range ids {
			if found[i], err = getMail(t.Tx, id); err != nil {
				return nil, err
			}
		}
		return found, nil
	})
}

// ListMails implements store.Mails.
func (s *mailTable) ListMails(ctx context.Context, f store.MailFilter, page, perPage int) (found []vault.Mail, total int, err error) {
	found, err = boltfile.RunTx(ctx, s.read, func(t *batchTx) (found []vault.Mail, err error) {
		skip := search.Offset(page, perPage)
		c, prefix := mailCursor(t.Tx, f)
		for k := boltfile.SeekLast(c, prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			m, err := getMail(t.Tx, boltfile.LastID(k))
			if err != nil {
				return nil, err
			}
			if !mailMatches(f, m) {
				continue
			}
			if total++; total > skip && len(found) < perPage {
				found = append(found, m)
			}
		}
		return found, nil
	})
	return found, total, err
}

// mailCursor goes through the narrowest index for a filter.
func mailCursor(t *boltfile.Tx, f store.MailFilter) (c *bbolt.Cursor, prefix []byte) {
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
func (s *mailTable) RepeatMail(ctx context.Context, institution uint32, id uint64,
	repeat func(vault.Mail) (vault.Mail, error)) (vault.Mail, error) {
	return boltfile.RunTx(ctx, s.write, func(t *batchTx) (vault.Mail, error) {
		old, err := getMailOf(t.Tx, institution, id)
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
		return addMail(t, next)
	})
}

// waitingMails lists a batch's mails that nobody is sending.
func waitingMails(t *boltfile.Tx, institution uint32, batch string) (found []vault.Mail, err error) {
	jobs, err := waitingJobs(t, vault.JobNotify, institution, batch)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if j.Mail == 0 {
			continue
		}
		m, err := getMail(t, j.Mail)
		if err != nil {
			return nil, err
		}
		if m.State == vault.MailWaiting {
			found = append(found, m)
		}
	}
	return found, nil
}
