package bolt

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/application"
	"github.com/vecctl/vecctl/pkg/store/bolt/correction"
	"github.com/vecctl/vecctl/pkg/store/bolt/delivery"
	"github.com/vecctl/vecctl/pkg/store/bolt/event"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/mail"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/upload"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Erase implements store.Certificates.
func (s *Store) Erase(ctx context.Context, institution uint32, email string, now time.Time) (store.Erased, error) {
	return write(ctx, s, func(t *txn) (store.Erased, error) {
		var done store.Erased
		if vault.FoldEmail(email) == "" {
			return done, nil
		}
		ids, err := index.IssuedTo(t.Tx, institution, email)
		if err != nil {
			return done, err
		}
		about := map[string]bool{}
		for _, id := range ids {
			c, err := t.Certificate(record.U64(id))
			if err != nil {
				return done, err
			}
			// Looked at before anything is written, so that all is erased or nothing.
			if _, _, err := c.Erase(now); err != nil {
				return done, err
			}
			done.Certificates = append(done.Certificates, c)
			about[c.UUID] = true
		}
		for _, c := range done.Certificates {
			ids, err := t.erase(c, now)
			if err != nil {
				return done, err
			}
			done.Mails = append(done.Mails, ids...)
		}
		if done.Waiting, err = application.DropOf(t.Tx, institution, email); err != nil {
			return done, err
		}
		others, err := mail.EraseTo(t.Tx, institution, vault.FoldEmail(email), now)
		if err != nil {
			return done, err
		}
		done.Mails = append(done.Mails, others...)
		if err := delivery.Erase(t.Tx, institution, about); err != nil {
			return done, err
		}
		return done, upload.Forget(t.Tx, institution, about)
	})
}

// erase forgets one certificate's data and returns the mails about it.
func (t *txn) erase(old vault.Certificate, now time.Time) ([]uint64, error) {
	if err := t.Forget(old); err != nil {
		return nil, err
	}
	if err := correction.Drop(t.Tx, old.Institution, old.UUID); err != nil {
		return nil, err
	}
	if err := event.Erase(t.Tx, old.ID); err != nil {
		return nil, err
	}
	ids, err := mail.EraseAbout(t.Tx, old.ID, now)
	if err != nil {
		return nil, err
	}
	_, err = t.change(old, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.Erase(now) })
	return ids, err
}
