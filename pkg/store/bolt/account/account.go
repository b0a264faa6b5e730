// Package account keeps the accounts of recipients, the links and sessions with
// which they sign in, and which certificates are theirs.
package account

import (
	"bytes"
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/index"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; package schema draws them.
var (
	accounts     = []byte("accounts")
	byEmail      = []byte("account_by_email")
	certificates = []byte("by_account")
	signIns      = []byte("sign_ins")
	sessions     = []byte("sessions")
)

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{accounts, byEmail, certificates, signIns, sessions} }

// Register implements the part of store.Accounts that is about accounts alone.
type Register struct {
	read, write func(context.Context, func(*tree.Tx) error) error
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*tree.Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

func noAccount() error { return fault.New(fault.NotFound, "Account not found.") }

// AccountByEmail implements store.Accounts.
func (s *Register) AccountByEmail(ctx context.Context, email string) (vault.Account, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (vault.Account, error) {
		a, err := Of(t, email)
		if err == nil && a == nil {
			err = noAccount()
		}
		if err != nil {
			return vault.Account{}, err
		}
		return *a, nil
	})
}

// Of reads the account of an address, nil where nobody has proven it.
func Of(t *tree.Tx, email string) (*vault.Account, error) {
	folded := vault.FoldEmail(email)
	id := t.Get(byEmail, []byte(folded))
	if id == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	a, err := get(t, id)
	if err == nil && a.Email != folded {
		err = record.Misplaced(byEmail, []byte(folded))
	}
	return &a, err
}

func get(t *tree.Tx, id []byte) (vault.Account, error) {
	var a vault.Account
	value := t.Get(accounts, id)
	if value == nil {
		return a, noAccount()
	}
	err := record.Decode(id, value, &a)
	return a, err
}

// Add keeps a new account.
func Add(t *tree.Tx, a vault.Account) error {
	key := record.UUID(a.ID)
	if key == nil || a.Email == "" {
		return fault.New(fault.Invalid, "an account needs a UUID and an address")
	}
	if t.Get(accounts, key) != nil {
		return fault.New(fault.Conflict, "the ID drawn for an account is taken; draw another")
	}
	if err := t.Keep(accounts, key, a); err != nil {
		return err
	}
	return t.Put(byEmail, []byte(a.Email), key)
}

// Erase forgets the account of an address, which may be nil, with its links and
// sessions; no certificate is its own any more.
func Erase(t *tree.Tx, email string, a *vault.Account) error {
	if err := dropLinks(t, email, a); err != nil || a == nil {
		return err
	}
	if err := t.Delete(byEmail, []byte(a.Email)); err != nil {
		return err
	}
	return t.Delete(accounts, record.UUID(a.ID))
}

// MoveOwner follows a certificate that another account owns now.
func MoveOwner(t *tree.Tx, old, c vault.Certificate) error {
	if old.Owner() == c.Owner() {
		return nil
	}
	if had := record.UUID(old.Owner()); had != nil {
		if err := t.Delete(certificates, record.Join(had, record.U64(c.ID))); err != nil {
			return err
		}
	}
	if has := record.UUID(c.Owner()); has != nil {
		return t.Put(certificates, record.Join(has, record.U64(c.ID)), nil)
	}
	return nil
}

// Owned lists the certificates of an account, oldest first.
func Owned(t *tree.Tx, account string) []uint64 {
	if key := record.UUID(account); key != nil {
		return t.Under(certificates, key)
	}
	return nil
}

// OwnedPage lists those on page number page (from 1), newest first, and counts all.
func OwnedPage(t *tree.Tx, account string, page, perPage int) (ids []uint64, total int) {
	prefix := record.UUID(account)
	if prefix == nil {
		return nil, 0
	}
	c, skip := t.Cursor(certificates), index.Skipped(page, perPage)
	for k := tree.SeekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
		if total++; total > skip && len(ids) < perPage {
			ids = append(ids, record.TailID(k))
		}
	}
	return ids, total
}
