package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Reissue implements store.Certificates.
func (s *Store) Reissue(ctx context.Context, institution uint32, name string,
	reissue func(vault.Certificate) (vault.Reissue, error)) (vault.Reissue, error) {
	return writeTx(ctx, s, func(t *txn) (vault.Reissue, error) {
		old, err := t.findCertificate(institution, name)
		if err != nil {
			return vault.Reissue{}, err
		}
		made, err := reissue(old)
		if err != nil {
			return made, err
		}
		if err := t.checkSuccessor(old, made.Next); err != nil {
			return made, err
		}
		if made.Next, err = t.insert(store.NewCertificate{Certificate: made.Next, Effects: made.Effects}); err != nil {
			return made, err
		}
		if err := t.flushEntries(); err != nil {
			return made, err
		}
		made.Old, err = t.change(old, func(vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return made.Old, made.OldEffects, nil
		})
		return made, err
	})
}

// checkSuccessor refuses a successor whose key is held by a certificate that it does not
// replace, or whose identity is taken.
func (t *txn) checkSuccessor(old, next vault.Certificate) error {
	taken, err := t.identityTaken(next.Identity)
	if err != nil {
		return err
	}
	if taken {
		return fault.New(fault.Conflict, "the identity drawn for a certificate is taken; draw another")
	}
	holder, err := t.keyHolder(next.Institution, next.Key())
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
		if replaced, err = t.findCertificate(next.Institution, replaced.Supersedes); err != nil {
			return err
		}
	}
}
