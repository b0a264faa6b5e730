package bolt

import (
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// eraseMailsAbout erases the mails about a certificate and returns their numbers.
func (t *txn) eraseMailsAbout(certificate uint64, now time.Time) ([]uint64, error) {
	ids := t.IDsWithPrefix(mailsByCertificateBucket, boltfile.U64(certificate))
	return ids, t.eraseMails(ids, now)
}

func (t *txn) eraseMails(ids []uint64, now time.Time) error {
	for _, id := range ids {
		if err := t.eraseMail(id, now); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) eraseMail(id uint64, now time.Time) error {
	old, err := t.mail(id)
	if err != nil {
		return err
	}
	// One that is being sent at this moment ends all the same: completing its job is then
	// a conflict.
	if j, err := t.job(old.JobID); err != nil {
		return err
	} else if j != nil {
		if err := t.deleteJob(*j); err != nil {
			return err
		}
	}
	if err := t.Delete(returnedMailsBucket, boltfile.U64(id)); err != nil {
		return err
	}
	return t.PutRecord(mailsBucket, boltfile.U64(id), old.Erase(now))
}

// eraseMailsTo erases the mails to an address, or from it, in which no certificate of that
// address is named.
func (t *txn) eraseMailsTo(institution uint32, folded string, now time.Time) (ids []uint64, err error) {
	c := t.Cursor(mailsBucket)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		var m vault.Mail
		if err := boltfile.Decode(k, v, &m); err != nil {
			return nil, err
		}
		if m.Institution == institution && (vault.FoldEmail(m.To) == folded || vault.FoldEmail(m.From) == folded) {
			ids = append(ids, m.ID)
		}
	}
	return ids, t.eraseMails(ids, now)
}
