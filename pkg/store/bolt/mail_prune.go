package bolt

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// DeleteOldMails implements store.Mails.
func (s *Store) DeleteOldMails(ctx context.Context, before time.Time, n int) (int, error) {
	return prune(ctx, s, func(t *txn) ([]vault.Mail, error) { return t.oldMails(before, n) }, (*txn).deleteMail)
}

// oldMails finds what may be removed. A mail that did not arrive and was not sent again
// stays: staff still have to see to it.
func (t *txn) oldMails(before time.Time, n int) (found []vault.Mail, err error) {
	c := t.Cursor(mailsBucket)
	for k, v := c.First(); k != nil && len(found) < n; k, v = c.Next() {
		var m vault.Mail
		if err := boltfile.Decode(k, v, &m); err != nil {
			return nil, err
		}
		if !m.CreatedAt.Before(before) {
			break // all that follow are younger
		}
		if m.State == vault.MailWaiting || t.Has(returnedMailsBucket, k) {
			continue
		}
		j, err := t.job(m.JobID)
		if err != nil {
			return nil, err
		}
		if j == nil { // else it is being sent at this moment
			found = append(found, m)
		}
	}
	return found, nil
}

func (t *txn) deleteMail(m vault.Mail) error {
	if m.Certificate != 0 {
		if err := t.Delete(mailsByCertificateBucket, boltfile.JoinKey(boltfile.U64(m.Certificate), boltfile.U64(m.ID))); err != nil {
			return err
		}
	}
	return t.Delete(mailsBucket, boltfile.U64(m.ID))
}
