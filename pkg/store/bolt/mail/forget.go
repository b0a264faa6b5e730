package mail

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/job"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ForgetMails implements store.Mails.
func (s *Register) ForgetMails(ctx context.Context, before time.Time, n int) (int, error) {
	return tree.Forget(ctx, s.read, s.write, func(t *batch.Tx) ([]vault.Mail, error) { return old(t, before, n) }, drop)
}

// old finds what may be forgotten. A mail whose recipient was not reached, and that
// nobody has sent again, is work that waits for somebody.
func old(t *batch.Tx, before time.Time, n int) (found []vault.Mail, err error) {
	c := t.Cursor(mails)
	for k, v := c.First(); k != nil && len(found) < n; k, v = c.Next() {
		var m vault.Mail
		if err := record.Decode(k, v, &m); err != nil {
			return nil, err
		}
		if !m.CreatedAt.Before(before) {
			break // all that follow are younger
		}
		if m.State == vault.MailWaiting || t.Has(returned, k) {
			continue
		}
		j, err := job.Get(t.Tx, m.JobID)
		if err != nil {
			return nil, err
		}
		if j == nil { // else it is being sent at this moment
			found = append(found, m)
		}
	}
	return found, nil
}

func drop(t *batch.Tx, m vault.Mail) error {
	if m.Certificate != 0 {
		if err := t.Delete(byCert, record.Join(record.U64(m.Certificate), record.U64(m.ID))); err != nil {
			return err
		}
	}
	return t.Delete(mails, record.U64(m.ID))
}
