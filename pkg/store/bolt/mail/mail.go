// Package mail keeps mails, from the moment at which they are to be sent.
package mail

import (
	"bytes"
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/job"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; package schema draws them.
var (
	mails    = []byte("mails")
	byCert   = []byte("mails_by_cert")
	returned = []byte("mails_returned")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{mails, byCert, returned} }

// Register implements the part of store.Mails that is about mails alone.
type Register struct {
	read, write func(context.Context, func(*batch.Tx) error) error
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*batch.Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

func noMail() error { return fault.New(fault.NotFound, "Mail not found.") }

// Add keeps a new mail with the job of sending it.
func Add(t *batch.Tx, m vault.Mail) (vault.Mail, error) {
	id, err := t.Bucket(mails).NextSequence()
	if err != nil {
		return m, fmt.Errorf("numbering a mail: %w", err)
	}
	if m.JobID, err = job.Number(t.Tx); err != nil {
		return m, err
	}
	m.ID = id
	if m.Certificate != 0 {
		if err := t.Put(byCert, record.Join(record.U64(m.Certificate), record.U64(id)), nil); err != nil {
			return m, err
		}
	}
	if err := t.Keep(mails, record.U64(m.ID), m); err != nil {
		return m, err
	}
	j := m.Job()
	j.ID = m.JobID
	return m, job.Put(t, j)
}

// Get reads one; NotFound when there is none.
func Get(t *tree.Tx, id uint64) (vault.Mail, error) {
	var m vault.Mail
	key := record.U64(id)
	value := t.Get(mails, key)
	if value == nil {
		return m, noMail()
	}
	err := record.Decode(key, value, &m)
	return m, err
}

// Move keeps what became of a mail.
func Move(t *tree.Tx, old, m vault.Mail) error {
	if err := t.Keep(mails, record.U64(m.ID), m); err != nil || m.State == old.State {
		return err
	}
	switch m.State {
	case vault.MailRefused, vault.MailBounced:
		return t.Put(returned, record.U64(m.ID), nil)
	case vault.MailWaiting, vault.MailSent, vault.MailCancelled:
	}
	return nil
}

// End is Move for a mail that may wait no longer: then its job ends.
func End(t *tree.Tx, old, m vault.Mail) error {
	if old.State == vault.MailWaiting && m.State != vault.MailWaiting {
		j, err := job.Get(t, old.JobID)
		if err != nil {
			return err
		}
		switch {
		case j != nil && j.Held && m.State == vault.MailCancelled:
			return fault.Newf(fault.Illegal, "mail %d is being sent at this moment", m.ID)
		case j != nil && !j.Held:
			if err := job.Drop(t, *j); err != nil {
				return err
			}
		}
	}
	return Move(t, old, m)
}

// QueueMail implements store.Mails.
func (s *Register) QueueMail(ctx context.Context, m vault.Mail) error {
	return s.write(ctx, func(t *batch.Tx) error {
		_, err := Add(t, m)
		return err
	})
}

// Mail implements store.Mails.
func (s *Register) Mail(ctx context.Context, institution uint32, id uint64) (vault.Mail, error) {
	return tree.Run(ctx, s.read, func(t *batch.Tx) (vault.Mail, error) { return of(t.Tx, institution, id) })
}

// of reads an institution's mail.
func of(t *tree.Tx, institution uint32, id uint64) (vault.Mail, error) {
	m, err := Get(t, id)
	if err == nil && m.Institution != institution {
		err = noMail()
	}
	return m, err
}

// MailsByID implements store.Mails.
func (s *Register) MailsByID(ctx context.Context, ids ...uint64) ([]vault.Mail, error) {
	return tree.Run(ctx, s.read, func(t *batch.Tx) (found []vault.Mail, err error) {
		found = make([]vault.Mail, len(ids))
		for i, id := range ids {
			if found[i], err = Get(t.Tx, id); err != nil {
				return nil, err
			}
		}
		return found, nil
	})
}

// ListMails implements store.Mails.
func (s *Register) ListMails(ctx context.Context, f store.MailFilter, page, perPage int) (found []vault.Mail, total int, err error) {
	found, err = tree.Run(ctx, s.read, func(t *batch.Tx) (found []vault.Mail, err error) {
		skip := index.Skipped(page, perPage)
		c, prefix := cursor(t.Tx, f)
		for k := tree.SeekLast(c, prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			m, err := Get(t.Tx, record.TailID(k))
			if err != nil {
				return nil, err
			}
			if !selects(f, m) {
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

// cursor goes through the narrowest index for a filter.
func cursor(t *tree.Tx, f store.MailFilter) (c *bbolt.Cursor, prefix []byte) {
	switch {
	case f.Certificate != 0:
		return t.Bucket(byCert).Cursor(), record.U64(f.Certificate)
	case f.Returned:
		return t.Bucket(returned).Cursor(), nil
	}
	return t.Bucket(mails).Cursor(), nil
}

func selects(f store.MailFilter, m vault.Mail) bool {
	return m.Institution == f.Institution && (f.Batch == "" || m.Batch == f.Batch) &&
		(f.State == "" || m.State == f.State) &&
		(!f.Returned || m.State == vault.MailRefused || m.State == vault.MailBounced)
}

// RepeatMail implements store.Mails.
func (s *Register) RepeatMail(ctx context.Context, institution uint32, id uint64,
	repeat func(vault.Mail) (vault.Mail, error)) (vault.Mail, error) {
	return tree.Run(ctx, s.write, func(t *batch.Tx) (vault.Mail, error) {
		old, err := of(t.Tx, institution, id)
		if err != nil {
			return old, err
		}
		next, err := repeat(old)
		if err != nil {
			return old, err
		}
		if err := t.Delete(returned, record.U64(old.ID)); err != nil {
			return old, err
		}
		return Add(t, next)
	})
}

// Waiting lists a batch's mails that nobody is sending.
func Waiting(t *tree.Tx, institution uint32, batch string) (found []vault.Mail, err error) {
	jobs, err := job.Waiting(t, vault.JobNotify, institution, batch)
	if err != nil {
		return nil, err
	}
	for _, j := range jobs {
		if j.Mail == 0 {
			continue
		}
		m, err := Get(t, j.Mail)
		if err != nil {
			return nil, err
		}
		if m.State == vault.MailWaiting {
			found = append(found, m)
		}
	}
	return found, nil
}
