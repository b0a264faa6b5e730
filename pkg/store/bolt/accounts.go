package bolt

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/account"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/institution"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// assigned is a changed certificate with the owner that it now has: when it is
// approved and when its address changes, the address's account.
func (t *txn) assigned(old, c vault.Certificate) (vault.Certificate, error) {
	approved := c.Status == vault.Approved && old.Status != vault.Approved
	moved := vault.FoldEmail(c.Email) != vault.FoldEmail(old.Email) && (c.Status == vault.Approved || c.Status == vault.Revoked)
	if approved || moved {
		owner, err := account.Of(t.Tx, c.Email)
		if err != nil {
			return c, err
		}
		if c, err = c.Assign(owner, c.UpdatedAt); err != nil {
			return c, err
		}
	}
	return c, account.MoveOwner(t.Tx, old, c)
}

// assignAll assigns all that was issued to an account's address, and returns how
// many that were.
func (t *txn) assignAll(a vault.Account, now time.Time) (int, error) {
	var issued []uint64
	for _, inst := range institution.Keys(t.Tx) {
		theirs, err := index.IssuedTo(t.Tx, binary.BigEndian.Uint32(inst), a.Email)
		if err != nil {
			return 0, err
		}
		issued = append(issued, theirs...)
	}
	n := 0
	for _, id := range issued {
		old, err := t.Certificate(record.U64(id))
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
	if err := t.Save(c); err != nil {
		return err
	}
	return account.MoveOwner(t.Tx, old, c)
}

// Prove implements store.Accounts.
func (s *Store) Prove(ctx context.Context, hash string, fresh vault.Account, begin vault.Session, now time.Time) (vault.Account, int, error) {
	assigned := 0
	proven, err := write(ctx, s, func(t *txn) (vault.Account, error) {
		link, err := account.Link(t.Tx, hash, now)
		if err != nil {
			return fresh, err
		}
		owner, err := account.Of(t.Tx, link.Email)
		if err != nil {
			return fresh, err
		}
		if owner == nil {
			owner = &fresh
			owner.Email = link.Email
			if err := account.Add(t.Tx, *owner); err != nil {
				return fresh, err
			}
		}
		if assigned, err = t.assignAll(*owner, now); err != nil {
			return fresh, err
		}
		begin.Account = owner.ID
		return *owner, account.Begin(t.Tx, link, begin)
	})
	return proven, assigned, err
}

// Owned implements store.Accounts.
func (s *Store) Owned(ctx context.Context, id string, page, perPage int) (store.Page, error) {
	return read(ctx, s, func(t *txn) (found store.Page, err error) {
		ids, total := account.OwnedPage(t.Tx, id, page, perPage)
		found.Total = total
		for _, id := range ids {
			one, err := t.Certificate(record.U64(id))
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
		a, err := account.Of(t.Tx, email)
		if err != nil {
			return err
		}
		if a != nil {
			if err := t.disown(*a); err != nil {
				return err
			}
		}
		return account.Erase(t.Tx, email, a)
	})
}

// disown makes an account's certificates nobody's.
func (t *txn) disown(a vault.Account) error {
	for _, id := range account.Owned(t.Tx, a.ID) {
		old, err := t.Certificate(record.U64(id))
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

// Expire implements store.Uploads, for links, sessions and applications too.
func (s *Store) Expire(ctx context.Context, now time.Time) (int, error) {
	n, err := s.uploads.Expire(ctx, now)
	if err != nil {
		return n, err
	}
	links, err := s.ExpireLinks(ctx, now)
	if err != nil {
		return n + links, err
	}
	more, err := s.ExpireWaiting(ctx, now)
	return n + links + more, err
}
