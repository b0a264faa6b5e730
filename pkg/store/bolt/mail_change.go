package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ChangeMail implements store.Mails.
func (s *Store) ChangeMail(ctx context.Context, id uint64, change func(vault.Mail) (vault.Mail, error)) (vault.Mail, error) {
	return writeTx(ctx, s, func(t *txn) (vault.Mail, error) {
		old, err := t.mail(id)
		if err != nil {
			return old, err
		}
		m, err := change(old)
		if err != nil {
			return old, err
		}
		t.about.noteMail(old)
		return m, t.endMail(old, m)
	})
}

// CancelMails implements store.Mails.
func (s *Store) CancelMails(ctx context.Context, institution uint32, batch string,
	cancel func(vault.Mail) (vault.Mail, error)) (int, error) {
	return writeTx(ctx, s, func(t *txn) (int, error) {
		waiting, err := t.waitingMails(institution, batch)
		if err != nil {
			return 0, err
		}
		for i, old := range waiting {
			m, err := cancel(old)
			if err != nil {
				return i, err
			}
			t.about.noteMail(old)
			if err := t.endMail(old, m); err != nil {
				return i, err
			}
		}
		return len(waiting), nil
	})
}

// endMail keeps the next state of a mail, which may wait no longer.
func (t *txn) endMail(old, m vault.Mail) error {
	if err := t.moveMailAndJob(old, m); err != nil {
		return err
	}
	return t.applyMailResult(old, m)
}

// completeMail applies a transition to the mail of a job that ends or waits again.
func (t *txn) completeMail(j vault.Job, change func(vault.Mail) (vault.Mail, error)) error {
	old, err := t.mail(j.Mail)
	if err != nil {
		return err
	}
	m, err := change(old)
	if err != nil {
		return err
	}
	if err := t.moveMail(old, m); err != nil {
		return err
	}
	return t.applyMailResult(old, m)
}

// applyMailResult records on a certificate what became of a mail about it.
func (t *txn) applyMailResult(old, m vault.Mail) error {
	if m.State == old.State || m.Certificate == 0 {
		return nil
	}
	c, err := t.certificate(boltfile.U64(m.Certificate))
	if err != nil {
		return err
	}
	if told, changed := c.ApplyMailResult(m); changed {
		return t.putCertificate(told)
	}
	return nil
}
