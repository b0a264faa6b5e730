package bolt

import (
	"context"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// forgetting removes records that look finds, in one transaction. Most of the time
// there are none, and nothing is written.
func forgetting[T any](ctx context.Context, s *Store, look func(*txn) ([]T, error), drop func(*txn, T) error) (int, error) {
	old, err := read(ctx, s, look)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return write(ctx, s, func(t *txn) (int, error) {
		// Looked up again: they may have changed between the two transactions.
		old, err := look(t)
		if err != nil {
			return 0, err
		}
		for _, one := range old {
			if err := drop(t, one); err != nil {
				return 0, err
			}
		}
		return len(old), nil
	})
}

// ForgetReceived implements store.Receipts.
func (s *Store) ForgetReceived(ctx context.Context, before time.Time, n int) (int, error) {
	return forgetting(ctx, s, func(t *txn) (old []hook.Received, err error) {
		c := t.Cursor(received)
		for k, v := c.First(); k != nil && len(old) < n; k, v = c.Next() {
			var r hook.Received
			if err := record.Decode(k, v, &r); err != nil {
				return nil, err
			}
			if !r.At.Before(before) {
				break // all that follow came later
			}
			if !slices.ContainsFunc(r.Tasks, func(one hook.Task) bool { return one.State == hook.Pending }) {
				old = append(old, r)
			}
		}
		return old, nil
	}, func(t *txn, r hook.Received) error {
		if err := t.Delete(receivedByName, []byte(r.Identity)); err != nil {
			return err
		}
		return t.Delete(received, record.U64(r.Seq))
	})
}

// ForgetMails implements store.Mails.
func (s *Store) ForgetMails(ctx context.Context, before time.Time, n int) (int, error) {
	return forgetting(ctx, s, func(t *txn) ([]vault.Mail, error) { return t.oldMails(before, n) },
		func(t *txn, m vault.Mail) error {
			if m.Certificate != 0 {
				if err := t.Delete(mailsByCert, record.Join(record.U64(m.Certificate), record.U64(m.ID))); err != nil {
					return err
				}
			}
			return t.Delete(mails, record.U64(m.ID))
		})
}

// oldMails finds what may be forgotten. A mail whose recipient was not reached, and
// that nobody has sent again, is work that waits for somebody.
func (t *txn) oldMails(before time.Time, n int) (old []vault.Mail, err error) {
	c := t.Cursor(mails)
	for k, v := c.First(); k != nil && len(old) < n; k, v = c.Next() {
		var m vault.Mail
		if err := record.Decode(k, v, &m); err != nil {
			return nil, err
		}
		if !m.CreatedAt.Before(before) {
			break // all that follow are younger
		}
		if m.State == vault.MailWaiting || t.Has(mailsReturned, k) {
			continue
		}
		j, err := t.job(m.JobID)
		if err != nil {
			return nil, err
		}
		if j == nil { // else it is being sent at this moment
			old = append(old, m)
		}
	}
	return old, nil
}
