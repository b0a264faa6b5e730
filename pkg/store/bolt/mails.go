package bolt

import (
	"bytes"
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/job"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

func noMail() error { return fault.New(fault.NotFound, "Mail not found.") }

// addMail keeps a new mail with the job of sending it.
func (t *txn) addMail(m vault.Mail) (vault.Mail, error) {
	id, err := t.Bucket(mails).NextSequence()
	if err != nil {
		return m, fmt.Errorf("numbering a mail: %w", err)
	}
	if m.JobID, err = job.Number(t.Tx); err != nil {
		return m, err
	}
	m.ID = id
	if m.Certificate != 0 {
		if err := t.Put(mailsByCert, record.Join(record.U64(m.Certificate), record.U64(id)), nil); err != nil {
			return m, err
		}
	}
	if err := t.putMail(m); err != nil {
		return m, err
	}
	j := m.Job()
	j.ID = m.JobID
	return m, job.Put(&t.batches, j)
}

func (t *txn) putMail(m vault.Mail) error {
	key := record.U64(m.ID)
	value, err := record.Encode(key, m)
	if err != nil {
		return err
	}
	return t.Put(mails, key, value)
}

// mail reads one; NotFound when there is none.
func (t *txn) mail(id uint64) (vault.Mail, error) {
	var m vault.Mail
	key := record.U64(id)
	value := t.Get(mails, key)
	if value == nil {
		return m, noMail()
	}
	err := record.Decode(key, value, &m)
	return m, err
}

// moveMail keeps what became of a mail, and notes it on the certificate.
func (t *txn) moveMail(old, m vault.Mail) error {
	if err := t.putMail(m); err != nil {
		return err
	}
	if m.State == old.State {
		return nil
	}
	switch m.State {
	case vault.MailRefused, vault.MailBounced:
		if err := t.Put(mailsReturned, record.U64(m.ID), nil); err != nil {
			return err
		}
	case vault.MailWaiting, vault.MailSent, vault.MailCancelled:
	}
	if m.Certificate == 0 {
		return nil
	}
	c, err := t.certificate(record.U64(m.Certificate))
	if err != nil {
		return err
	}
	if told, changed := c.Told(m); changed {
		return t.putCertificate(told)
	}
	return nil
}

// settleMail applies a transition to the mail of a job that ends or waits again.
func (t *txn) settleMail(j vault.Job, change func(vault.Mail) (vault.Mail, error)) error {
	old, err := t.mail(j.Mail)
	if err != nil {
		return err
	}
	m, err := change(old)
	if err != nil {
		return err
	}
	return t.moveMail(old, m)
}

// QueueMail implements store.Mails.
func (s *Store) QueueMail(ctx context.Context, m vault.Mail) error {
	_, err := write(ctx, s, func(t *txn) (vault.Mail, error) { return t.addMail(m) })
	return err
}

// Mail implements store.Mails.
func (s *Store) Mail(ctx context.Context, institution uint32, id uint64) (vault.Mail, error) {
	return read(ctx, s, func(t *txn) (vault.Mail, error) { return t.mailOf(institution, id) })
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
	return read(ctx, s, func(t *txn) (found []vault.Mail, err error) {
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
func (s *Store) ListMails(ctx context.Context, f store.MailFilter, page, perPage int) (found []vault.Mail, total int, err error) {
	found, err = read(ctx, s, func(t *txn) (found []vault.Mail, err error) {
		skip := index.Skipped(page, perPage)
		c, prefix := t.mailCursor(f)
		for k := tree.SeekLast(c, prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			m, err := t.mail(record.TailID(k))
			if err != nil {
				return nil, err
			}
			if !selectsMail(f, m) {
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
func (t *txn) mailCursor(f store.MailFilter) (c *bbolt.Cursor, prefix []byte) {
	switch {
	case f.Certificate != 0:
		return t.Bucket(mailsByCert).Cursor(), record.U64(f.Certificate)
	case f.Returned:
		return t.Bucket(mailsReturned).Cursor(), nil
	}
	return t.Bucket(mails).Cursor(), nil
}

func selectsMail(f store.MailFilter, m vault.Mail) bool {
	return m.Institution == f.Institution && (f.Batch == "" || m.Batch == f.Batch) &&
		(f.State == "" || m.State == f.State) &&
		(!f.Returned || m.State == vault.MailRefused || m.State == vault.MailBounced)
}

// ChangeMail implements store.Mails.
func (s *Store) ChangeMail(ctx context.Context, id uint64, change func(vault.Mail) (vault.Mail, error)) (vault.Mail, error) {
	return write(ctx, s, func(t *txn) (vault.Mail, error) {
		old, err := t.mail(id)
		if err != nil {
			return old, err
		}
		m, err := change(old)
		if err != nil {
			return old, err
		}
		return m, t.endMail(old, m)
	})
}

// endMail is moveMail for a mail that may wait no longer: then its job ends.
func (t *txn) endMail(old, m vault.Mail) error {
	if old.State == vault.MailWaiting && m.State != vault.MailWaiting {
		j, err := job.Get(t.Tx, old.JobID)
		if err != nil {
			return err
		}
		switch {
		case j != nil && j.Held && m.State == vault.MailCancelled:
			return fault.Newf(fault.Illegal, "mail %d is being sent at this moment", m.ID)
		case j != nil && !j.Held:
			if err := job.Drop(t.Tx, *j); err != nil {
				return err
			}
		}
	}
	return t.moveMail(old, m)
}

// RepeatMail implements store.Mails.
func (s *Store) RepeatMail(ctx context.Context, institution uint32, id uint64,
	repeat func(vault.Mail) (vault.Mail, error)) (vault.Mail, error) {
	return write(ctx, s, func(t *txn) (vault.Mail, error) {
		old, err := t.mailOf(institution, id)
		if err != nil {
			return old, err
		}
		next, err := repeat(old)
		if err != nil {
			return old, err
		}
		if err := t.Delete(mailsReturned, record.U64(old.ID)); err != nil {
			return old, err
		}
		return t.addMail(next)
	})
}

// CancelMails implements store.Mails.
func (s *Store) CancelMails(ctx context.Context, institution uint32, batch string,
	cancel func(vault.Mail) (vault.Mail, error)) (int, error) {
	return write(ctx, s, func(t *txn) (int, error) {
		waiting, err := t.waitingMails(institution, batch)
		if err != nil {
			return 0, err
		}
		for i, old := range waiting {
			m, err := cancel(old)
			if err != nil {
				return i, err
			}
			if err := t.endMail(old, m); err != nil {
				return i, err
			}
		}
		return len(waiting), nil
	})
}

// waitingMails lists a batch's mails that nobody is sending.
func (t *txn) waitingMails(institution uint32, batch string) (found []vault.Mail, err error) {
	jobs, err := job.Waiting(t.Tx, vault.JobNotify, institution, batch)
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
