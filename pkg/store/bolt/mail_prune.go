package bolt

import (
	"context"
	"iter"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// DeleteOldMails implements store.Mails.
func (s *Store) DeleteOldMails(ctx context.Context, before time.Time, n int) (int, error) {
	return prune(ctx, s, func(t *txn) ([]vault.Mail, error) { return t.oldMails(before, n) }, (*txn).deleteMail)
}

// OldMails implements store.Mails.
func (s *Store) OldMails(ctx context.Context, before time.Time) (store.OldRecords, error) {
	return readTx(ctx, s, func(t *txn) (old store.OldRecords, err error) {
		for _, size := range t.endedMails(&old, before, &err) {
			old.Add(size)
		}
		return old, err
	})
}

func (t *txn) oldMails(before time.Time, n int) (found []vault.Mail, err error) {
	var old store.OldRecords
	for m := range t.endedMails(&old, before, &err) {
		if len(found) == n {
			break
		}
		found = append(found, m)
	}
	return found, err
}

// endedMails goes through the mails that may be removed of those made before a moment, from the
// oldest on, with their sizes, and notes the first younger one. A mail that did not arrive and was
// not sent again stays: staff still have to see to it.
func (t *txn) endedMails(old *store.OldRecords, before time.Time, failure *error) iter.Seq2[vault.Mail, int] {
	return func(yield func(vault.Mail, int) bool) {
		c := t.Cursor(mailsBucket)
		for k, v := c.First(); k != nil; k, v = c.Next() {
			var m vault.Mail
			if *failure = boltfile.Decode(k, v, &m); *failure != nil {
				return
			}
			if !m.CreatedAt.Before(before) {
				old.Later(m.CreatedAt)
				return // all that follow are younger
			}
			if m.State == vault.MailWaiting || t.Has(returnedMailsBucket, k) {
				continue
			}
			var j *vault.Job
			if j, *failure = t.job(m.JobID); *failure != nil {
				return
			}
			// One with a job is being sent at this moment.
			if j == nil && !yield(m, len(v)) {
				return
			}
		}
	}
}

func (t *txn) deleteMail(m vault.Mail) error {
	if m.Certificate != 0 {
		if err := t.Delete(mailsByCertificateBucket, boltfile.JoinKey(boltfile.U64(m.Certificate), boltfile.U64(m.ID))); err != nil {
			return err
		}
	}
	return t.Delete(mailsBucket, boltfile.U64(m.ID))
}
