package bolt

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Erase implements store.Certificates.
func (s *Store) Erase(ctx context.Context, institution uint32, email string, only func(vault.Certificate) bool, now time.Time) (store.ErasureResult, error) {
	return writeTx(ctx, s, func(t *txn) (store.ErasureResult, error) {
		var done store.ErasureResult
		if vault.FoldEmail(email) == "" {
			return done, nil
		}
		ids, err := search.IssuedTo(t.Tx, institution, email)
		if err != nil {
			return done, err
		}
		about := map[string]bool{}
		for _, id := range ids {
			c, err := t.certificate(boltfile.U64(id))
			if err != nil {
				return done, err
			}
			if only != nil && !only(c) {
				continue
			}
			// Checked before anything is written, so that all is erased or nothing.
			if _, _, err := c.Erase(now); err != nil {
				return done, err
			}
			done.Certificates = append(done.Certificates, c)
			about[c.UUID] = true
		}
		for _, c := range done.Certificates {
			ids, err := t.eraseCertificate(c, now)
			if err != nil {
				return done, err
			}
			done.Mails = append(done.Mails, ids...)
		}
		if only == nil {
			if err := t.eraseAddress(institution, email, now, &done); err != nil {
				return done, err
			}
		}
		if err := t.eraseDeliveries(institution, about); err != nil {
			return done, err
		}
		return done, t.eraseResponses(institution, about)
	})
}

// eraseAddress erases what belongs to an address and to no certificate.
func (t *txn) eraseAddress(institution uint32, email string, now time.Time, done *store.ErasureResult) (err error) {
	if done.Unconfirmed, err = t.deleteUnconfirmedOf(institution, email); err != nil {
		return err
	}
	others, err := t.eraseMailsTo(institution, vault.FoldEmail(email), now)
	done.Mails = append(done.Mails, others...)
	return err
}

// eraseCertificate erases one certificate's data and returns the mails about it.
func (t *txn) eraseCertificate(old vault.Certificate, now time.Time) ([]uint64, error) {
	if err := t.eraseEntries(old); err != nil {
		return nil, err
	}
	if err := t.deleteCorrections(old.Institution, old.UUID); err != nil {
		return nil, err
	}
	if err := t.eraseEvents(old.ID); err != nil {
		return nil, err
	}
	ids, err := t.eraseMailsAbout(old.ID, now)
	if err != nil {
		return nil, err
	}
	_, err = t.change(old, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.Erase(now) })
	return ids, err
}
