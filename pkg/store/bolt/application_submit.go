package bolt

import (
	"context"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// checkKey refuses a change that would give a certificate a key that another holds.
func (t *txn) checkKey(old, c vault.Certificate) error {
	if c.Key() == old.Key() || !c.HoldsKey() || c.Source != vault.FromCustomer {
		return nil
	}
	holder, err := t.keyHolder(c.Institution, c.Key())
	if err != nil || holder == nil || holder.ID == c.ID {
		return err
	}
	return fault.InvalidFields([]fault.Field{{Name: "issue_date", Message: vault.DuplicateMessage}})
}

// moveApplication updates the indexes for an application after a decision about it: its
// key moves or is freed, it is no longer open, and the documents that it needs have changed.
func (t *txn) moveApplication(old, c vault.Certificate) error {
	if old.Source != vault.FromCustomer {
		return nil
	}
	if old.Open() && !c.Open() {
		if err := t.deleteOpenApplication(old); err != nil {
			return err
		}
	}
	if c.File.SHA256 != old.File.SHA256 && c.File.SHA256 != "" {
		if err := t.addDocumentRef(c.File.SHA256, c); err != nil {
			return err
		}
	}
	for _, sum := range old.Documents() {
		if slices.Contains(c.Documents(), sum) {
			continue
		}
		if err := t.deleteDocumentRef(sum, c); err != nil {
			return err
		}
	}
	return t.moveKey(old, c)
}

// Submit implements store.Applications.
func (s *Store) Submit(ctx context.Context, a store.NewCertificate, hash string, now time.Time) (vault.Certificate, error) {
	return writeTx(ctx, s, func(t *txn) (vault.Certificate, error) {
		var waited vault.UnconfirmedApplication
		var err error
		if hash != "" {
			if waited, err = t.unconfirmed(hash, now); err != nil {
				return a.Certificate, err
			}
		}
		if err := t.checkSubmission(a); err != nil {
			return a.Certificate, err
		}
		c, err := t.insert(a)
		if err == nil {
			err = t.flushEntries()
		}
		if err == nil {
			err = t.addOpenApplication(c)
		}
		if err != nil || hash == "" {
			return c, err
		}
		return c, t.deleteUnconfirmed(waited)
	})
}

func (t *txn) checkSubmission(a store.NewCertificate) error {
	result := make([]store.InsertResult, 1)
	if _, err := t.checkInserts([]store.NewCertificate{a}, result); err != nil {
		return err
	}
	if held := result[0].Certificate; result[0].Duplicate {
		return fault.Newf(fault.Illegal, "an application for %q from this address is already open (%s)", held.Title, held.Reference)
	}
	return t.checkOpenApplications(a.Certificate)
}
