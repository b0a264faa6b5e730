package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Reissue implements store.Certificates.
func (s *Store) Reissue(ctx context.Context, institution uint32, name string,
	reissue func(vault.Certificate) (vault.Succession, error)) (vault.Succession, error) {
	return write(ctx, s, func(t *txn) (vault.Succession, error) {
		old, err := t.find(institution, name)
		if err != nil {
			return vault.Succession{}, err
		}
		made, err := reissue(old)
		if err != nil {
			return made, err
		}
		if err := t.checkSuccessor(old, made.Next); err != nil {
			return made, err
		}
		if made.Next, err = t.accept(store.Acceptance{Certificate: made.Next, Effects: made.Effects}); err != nil {
			return made, err
		}
		if err := t.putEntries(); err != nil {
			return made, err
		}
		made.Old, err = t.change(old, func(vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return made.Old, made.OldEffects, nil
		})
		return made, err
	})
}

// checkSuccessor refuses a successor whose key somebody holds that it does not
// replace, or whose identity is taken.
func (t *txn) checkSuccessor(old, next vault.Certificate) error {
	uuid := record.UUID(next.UUID)
	if uuid == nil || next.Reference == "" {
		return fault.New(fault.Invalid, "a certificate needs a UUID and a reference ID")
	}
	if t.Get(byUUID, uuid) != nil || t.Get(byReference, []byte(next.Reference)) != nil || t.shareTaken(next.ShareToken) {
		return fault.New(fault.Conflict, "the identity drawn for a certificate is taken; draw another")
	}
	holder, err := t.holder(next.Institution, next.Key())
	if err != nil || holder == nil {
		return err
	}
	for replaced := old; ; {
		if replaced.ID == holder.ID {
			return nil
		}
		if replaced.Supersedes == "" {
			return fault.InvalidFields([]fault.Field{{Name: "applicant_email", Message: vault.DuplicateMessage}})
		}
		if replaced, err = t.find(next.Institution, replaced.Supersedes); err != nil {
			return err
		}
	}
}
