package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store/bolt/mail"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ChangeMail implements store.Mails.
func (s *Store) ChangeMail(ctx context.Context, id uint64, change func(vault.Mail) (vault.Mail, error)) (vault.Mail, error) {
	return write(ctx, s, func(t *txn) (vault.Mail, error) {
		old, err := mail.Get(t.Tx, id)
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

// CancelMails implements store.Mails.
func (s *Store) CancelMails(ctx context.Context, institution uint32, batch string,
	cancel func(vault.Mail) (vault.Mail, error)) (int, error) {
	return write(ctx, s, func(t *txn) (int, error) {
		waiting, err := mail.Waiting(t.Tx, institution, batch)
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

// endMail keeps what became of a mail, which may wait no longer.
func (t *txn) endMail(old, m vault.Mail) error {
	if err := mail.End(t.Tx, old, m); err != nil {
		return err
	}
	return t.tell(old, m)
}

// settleMail applies a transition to the mail of a job that ends or waits again.
func (t *txn) settleMail(j vault.Job, change func(vault.Mail) (vault.Mail, error)) error {
	old, err := mail.Get(t.Tx, j.Mail)
	if err != nil {
		return err
	}
	m, err := change(old)
	if err != nil {
		return err
	}
	if err := mail.Move(t.Tx, old, m); err != nil {
		return err
	}
	return t.tell(old, m)
}

// tell notes on a certificate what became of a mail about it.
func (t *txn) tell(old, m vault.Mail) error {
	if m.State == old.State || m.Certificate == 0 {
		return nil
	}
	c, err := t.Certificate(record.U64(m.Certificate))
	if err != nil {
		return err
	}
	if told, changed := c.Told(m); changed {
		return t.Save(told)
	}
	return nil
}
