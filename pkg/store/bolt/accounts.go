package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/institution"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

func noAccount() error { return fault.New(fault.NotFound, "Account not found.") }

// AccountByEmail implements store.Accounts.
func (s *Store) AccountByEmail(ctx context.Context, email string) (vault.Account, error) {
	return read(ctx, s, func(t *txn) (vault.Account, error) {
		a, err := t.accountOf(email)
		if err == nil && a == nil {
			err = noAccount()
		}
		if err != nil {
			return vault.Account{}, err
		}
		return *a, nil
	})
}

// accountOf reads the account of an address, nil where nobody has proven it.
func (t *txn) accountOf(email string) (*vault.Account, error) {
	folded := vault.FoldEmail(email)
	id := t.Get(accountByMail, []byte(folded))
	if id == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	a, err := t.account(id)
	if err == nil && a.Email != folded {
		err = record.Misplaced(accountByMail, []byte(folded))
	}
	return &a, err
}

func (t *txn) account(id []byte) (vault.Account, error) {
	var a vault.Account
	value := t.Get(accounts, id)
	if value == nil {
		return a, noAccount()
	}
	err := record.Decode(id, value, &a)
	return a, err
}

// addAccount keeps a new account.
func (t *txn) addAccount(a vault.Account) error {
	key := record.UUID(a.ID)
	if key == nil || a.Email == "" {
		return fault.New(fault.Invalid, "an account needs a UUID and an address")
	}
	if t.Get(accounts, key) != nil {
		return fault.New(fault.Conflict, "the ID drawn for an account is taken; draw another")
	}
	value, err := record.Encode(key, a)
	if err != nil {
		return err
	}
	return t.putAll([]entry{{accounts, key, value}, {accountByMail, []byte(a.Email), key}})
}

// assigned is a changed certificate with the owner that it now has: when it is
// approved and when its address changes, the address's account.
func (t *txn) assigned(old, c vault.Certificate) (vault.Certificate, error) {
	approved := c.Status == vault.Approved && old.Status != vault.Approved
	moved := vault.FoldEmail(c.Email) != vault.FoldEmail(old.Email) && (c.Status == vault.Approved || c.Status == vault.Revoked)
	if approved || moved {
		owner, err := t.accountOf(c.Email)
		if err != nil {
			return c, err
		}
		if c, err = c.Assign(owner, c.UpdatedAt); err != nil {
			return c, err
		}
	}
	return c, t.moveOwner(old, c)
}

// moveOwner keeps the index of owners.
func (t *txn) moveOwner(old, c vault.Certificate) error {
	if old.Owner() == c.Owner() {
		return nil
	}
	if had := record.UUID(old.Owner()); had != nil {
		if err := t.Delete(byAccount, record.Join(had, record.U64(c.ID))); err != nil {
			return err
		}
	}
	if has := record.UUID(c.Owner()); has != nil {
		return t.Put(byAccount, record.Join(has, record.U64(c.ID)), nil)
	}
	return nil
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
		old, err := t.certificate(record.U64(id))
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
		if err := t.putCertificate(mine); err != nil {
			return n, err
		}
		if err := t.moveOwner(old, mine); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Owned implements store.Accounts.
func (s *Store) Owned(ctx context.Context, account string, page, perPage int) (store.Page, error) {
	return read(ctx, s, func(t *txn) (found store.Page, err error) {
		prefix := record.UUID(account)
		if prefix == nil {
			return found, nil
		}
		c, skip := t.Bucket(byAccount).Cursor(), index.Skipped(page, perPage)
		for k := tree.SeekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
			if found.Total++; found.Total <= skip || len(found.Certificates) == perPage {
				continue
			}
			one, err := t.certificate(record.U64(record.TailID(k)))
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
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		a, err := t.accountOf(email)
		if err != nil {
			return struct{}{}, err
		}
		if err := t.dropLinks(email, a); err != nil || a == nil {
			return struct{}{}, err
		}
		key := record.UUID(a.ID)
		for _, id := range t.Under(byAccount, key) {
			old, err := t.certificate(record.U64(id))
			if err != nil {
				return struct{}{}, err
			}
			nobodys, err := old.Assign(nil, old.UpdatedAt)
			if err != nil {
				return struct{}{}, err
			}
			if err := t.putCertificate(nobodys); err != nil {
				return struct{}{}, err
			}
			if err := t.moveOwner(old, nobodys); err != nil {
				return struct{}{}, err
			}
		}
		if err := t.Delete(accountByMail, []byte(a.Email)); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, t.Delete(accounts, key)
	})
	return err
}
