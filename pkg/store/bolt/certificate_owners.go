package bolt

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// assignOwner assigns a changed certificate to the account of its address, when it is
// approved and when its address changes.
func (t *txn) assignOwner(old, c vault.Certificate) (vault.Certificate, error) {
	approved := c.Status == vault.Approved && old.Status != vault.Approved
	moved := vault.FoldEmail(c.Email) != vault.FoldEmail(old.Email) && (c.Status == vault.Approved || c.Status == vault.Revoked)
	if approved || moved {
		owner, err := t.accountByEmail(c.Email)
		if err != nil {
			return c, err
		}
		if c, err = c.Assign(owner, c.UpdatedAt); err != nil {
			return c, err
		}
	}
	return c, t.moveOwner(old, c)
}

// assignAllTo assigns to an account all certificates that were issued to its address, and
// returns how many that were.
func (t *txn) assignAllTo(a vault.Account, now time.Time) (int, error) {
	var issued []uint64
	for _, inst := range t.institutionKeys() {
		theirs, err := search.IssuedTo(t.Tx, binary.BigEndian.Uint32(inst), a.Email)
		if err != nil {
			return 0, err
		}
		issued = append(issued, theirs...)
	}
	n := 0
	for _, id := range issued {
		old, err := t.certificate(boltfile.U64(id))
		if err != nil {
			return n, err
		}
		if old.Status != vault.Approved && old.Status != vault.Revoked || old.Owner() == a.ID || vault.FoldEmail(old.Email) != a.Email {
			continue
		}
		mine, err := old.Assign(&a, now)
		if err != nil {
			return n, err
		}
		if err := t.putOwner(old, mine); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// putOwner writes a certificate of which only the owner may have changed.
func (t *txn) putOwner(old, c vault.Certificate) error {
	if err := t.putCertificate(c); err != nil {
		return err
	}
	return t.moveOwner(old, c)
}

// RedeemMagicLink implements store.Accounts.
func (s *Store) RedeemMagicLink(ctx context.Context, hash string, fresh vault.Account, begin vault.Session, now time.Time) (vault.Account, int, error) {
	assigned := 0
	proven, err := writeTx(ctx, s, func(t *txn) (vault.Account, error) {
		link, err := t.magicLink(hash, now)
		if err != nil {
			return fresh, err
		}
		owner, err := t.accountByEmail(link.Email)
		if err != nil {
			return fresh, err
		}
		if owner == nil {
			owner = &fresh
			owner.Email = link.Email
			if err := t.addAccount(*owner); err != nil {
				return fresh, err
			}
		}
		if assigned, err = t.assignAllTo(*owner, now); err != nil {
			return fresh, err
		}
		begin.Account = owner.ID
		return *owner, t.beginSession(link, begin)
	})
	return proven, assigned, err
}

// OwnedBy implements store.Accounts.
func (s *Store) OwnedBy(ctx context.Context, id string, page, perPage int) (store.Page, error) {
	return readTx(ctx, s, func(t *txn) (found store.Page, err error) {
		ids, total := t.ownedPage(id, page, perPage)
		found.Total = total
		for _, id := range ids {
			one, err := t.certificate(boltfile.U64(id))
			if err != nil {
				return found, err
			}
			found.Certificates = append(found.Certificates, one)
		}
		return found, nil
	})
}

// EraseAccount implements store.Accounts.
func (s *Store) EraseAccount(ctx context.Context, email string) error {
	return s.update(ctx, func(t *txn) error {
		a, err := t.accountByEmail(email)
		if err != nil {
			return err
		}
		if a != nil {
			if err := t.unassignAll(*a); err != nil {
				return err
			}
		}
		return t.eraseAccount(email, a)
	})
}

// unassignAll removes the assignment of all of an account's certificates.
func (t *txn) unassignAll(a vault.Account) error {
	for _, id := range t.ownedIDs(a.ID) {
		old, err := t.certificate(boltfile.U64(id))
		if err != nil {
			return err
		}
		nobodys, err := old.Assign(nil, old.UpdatedAt)
		if err != nil {
			return err
		}
		if err := t.putOwner(old, nobodys); err != nil {
			return err
		}
	}
	return nil
}
