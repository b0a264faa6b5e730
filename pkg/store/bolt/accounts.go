package bolt

import (
	"bytes"
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// The buckets; schema.go draws all.
var (
	accountsBucket              = []byte("accounts")
	accountByEmailBucket        = []byte("account_by_email")
	certificatesByAccountBucket = []byte("by_account")
	magicLinksBucket            = []byte("sign_ins")
	sessionsBucket              = []byte("sessions")
)

// accountBuckets returns the buckets above, for the schema.
func accountBuckets() [][]byte {
	return [][]byte{accountsBucket, accountByEmailBucket, certificatesByAccountBucket, magicLinksBucket, sessionsBucket}
}

func noAccount() error { return fault.New(fault.NotFound, "Account not found.") }

// AccountByEmail implements store.Accounts.
func (s *Store) AccountByEmail(ctx context.Context, email string) (vault.Account, error) {
	return readTx(ctx, s, func(t *txn) (vault.Account, error) {
		a, err := t.accountByEmail(email)
		if err == nil && a == nil {
			err = noAccount()
		}
		if err != nil {
			return vault.Account{}, err
		}
		return *a, nil
	})
}

// accountByEmail returns the account of an address, nil where it has none.
func (t *txn) accountByEmail(email string) (*vault.Account, error) {
	folded := vault.FoldEmail(email)
	id := t.Get(accountByEmailBucket, []byte(folded))
	if id == nil {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	a, err := t.account(id)
	if err == nil && a.Email != folded {
		err = boltfile.IndexDamaged(accountByEmailBucket, []byte(folded))
	}
	return &a, err
}

func (t *txn) account(id []byte) (vault.Account, error) {
	var a vault.Account
	value := t.Get(accountsBucket, id)
	if value == nil {
		return a, noAccount()
	}
	err := boltfile.Decode(id, value, &a)
	return a, err
}

// addAccount keeps a new account.
func (t *txn) addAccount(a vault.Account) error {
	key := boltfile.UUID(a.ID)
	if key == nil || a.Email == "" {
		return fault.New(fault.Invalid, "an account needs a UUID and an address")
	}
	if t.Get(accountsBucket, key) != nil {
		return fault.New(fault.Conflict, "the ID drawn for an account is taken; draw another")
	}
	if err := t.PutRecord(accountsBucket, key, a); err != nil {
		return err
	}
	return t.Put(accountByEmailBucket, []byte(a.Email), key)
}

// eraseAccount removes the account of an address, which may be nil, with its links and
// sessions. No certificate is assigned to it any more.
func (t *txn) eraseAccount(email string, a *vault.Account) error {
	if err := t.deleteLinksOf(email, a); err != nil || a == nil {
		return err
	}
	if err := t.Delete(accountByEmailBucket, []byte(a.Email)); err != nil {
		return err
	}
	return t.Delete(accountsBucket, boltfile.UUID(a.ID))
}

// moveOwner updates the index of owners for a certificate that changed its owner.
func (t *txn) moveOwner(old, c vault.Certificate) error {
	if old.Owner() == c.Owner() {
		return nil
	}
	if had := boltfile.UUID(old.Owner()); had != nil {
		if err := t.Delete(certificatesByAccountBucket, boltfile.JoinKey(had, boltfile.U64(c.ID))); err != nil {
			return err
		}
	}
	if has := boltfile.UUID(c.Owner()); has != nil {
		return t.Put(certificatesByAccountBucket, boltfile.JoinKey(has, boltfile.U64(c.ID)), nil)
	}
	return nil
}

// ownedIDs lists the certificates of an account, oldest first.
func (t *txn) ownedIDs(account string) []uint64 {
	if key := boltfile.UUID(account); key != nil {
		return t.IDsWithPrefix(certificatesByAccountBucket, key)
	}
	return nil
}

// ownedPage lists those on page number page (from 1), newest first, and counts all.
func (t *txn) ownedPage(account string, page, perPage int) (ids []uint64, total int) {
	prefix := boltfile.UUID(account)
	if prefix == nil {
		return nil, 0
	}
	c, skip := t.Cursor(certificatesByAccountBucket), search.Offset(page, perPage)
	for k := boltfile.SeekLast(c, prefix); bytes.HasPrefix(k, prefix); k, _ = c.Prev() {
		if total++; total > skip && len(ids) < perPage {
			ids = append(ids, boltfile.LastID(k))
		}
	}
	return ids, total
}
