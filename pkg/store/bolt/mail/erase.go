package mail

import (
	"time"

	"github.com/vecctl/vecctl/pkg/store/bolt/job"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// EraseAbout forgets the mails about a certificate and returns their numbers.
func EraseAbout(t *tree.Tx, certificate uint64, now time.Time) ([]uint64, error) {
	ids := t.Under(byCert, record.U64(certificate))
	return ids, eraseAll(t, ids, now)
}

func eraseAll(t *tree.Tx, ids []uint64, now time.Time) error {
	for _, id := range ids {
		if err := erase(t, id, now); err != nil {
			return err
		}
	}
	return nil
}

func erase(t *tree.Tx, id uint64, now time.Time) error {
	old, err := Get(t, id)
	if err != nil {
		return err
	}
	// One that is being sent at this moment is ended all the same: its settling finds
	// no job.
	if j, err := job.Get(t, old.JobID); err != nil {
		return err
	} else if j != nil {
		if err := job.Drop(t, *j); err != nil {
			return err
		}
	}
	if err := t.Delete(returned, record.U64(id)); err != nil {
		return err
	}
	return t.Keep(mails, record.U64(id), old.Erase(now))
}

// EraseTo forgets mails to an address, or from it, that are about no
// certificate of its.
func EraseTo(t *tree.Tx, institution uint32, folded string, now time.Time) (ids []uint64, err error) {
	c := t.Cursor(mails)
	for k, v := c.First(); k != nil; k, v = c.Next() {
		var m vault.Mail
		if err := record.Decode(k, v, &m); err != nil {
			return nil, err
		}
		if m.Institution == institution && (vault.FoldEmail(m.To) == folded || vault.FoldEmail(m.From) == folded) {
			ids = append(ids, m.ID)
		}
	}
	return ids, eraseAll(t, ids, now)
}
