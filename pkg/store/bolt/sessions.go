package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// AddMagicLink implements store.Accounts.
func (s *Store) AddMagicLink(ctx context.Context, link vault.MagicLink) error {
	return s.update(ctx, func(t *txn) error {
		if t.Get(magicLinksBucket, []byte(link.Hash)) != nil {
			return fault.New(fault.Conflict, "the secret drawn for a link is taken; draw another")
		}
		return t.PutRecord(magicLinksBucket, []byte(link.Hash), link)
	})
}

// MagicLink implements store.Accounts.
func (s *Store) MagicLink(ctx context.Context, hash string, now time.Time) (vault.MagicLink, error) {
	return readTx(ctx, s, func(t *txn) (vault.MagicLink, error) { return t.magicLink(hash, now) })
}

// magicLink finds one by its hash; NotFound when it is used up or not usable any more.
func (t *txn) magicLink(hash string, now time.Time) (vault.MagicLink, error) {
	var link vault.MagicLink
	value := t.Get(magicLinksBucket, []byte(hash))
	if value == nil {
		return link, noMagicLink()
	}
	err := boltfile.Decode([]byte(hash), value, &link)
	if err == nil && !link.Usable(now) {
		err = noMagicLink()
	}
	return link, err
}

func noMagicLink() error {
	return fault.New(fault.NotFound, "The link has already been used, or it is too old.")
}

// beginSession uses up a link and begins a session.
func (t *txn) beginSession(link vault.MagicLink, session vault.Session) error {
	if err := t.PutRecord(sessionsBucket, []byte(session.Hash), session); err != nil {
		return err
	}
	return t.Delete(magicLinksBucket, []byte(link.Hash))
}

// SessionAccount implements store.Accounts.
func (s *Store) SessionAccount(ctx context.Context, hash string, now time.Time) (vault.Account, error) {
	return readTx(ctx, s, func(t *txn) (vault.Account, error) {
		var session vault.Session
		value := t.Get(sessionsBucket, []byte(hash))
		if value == nil {
			return vault.Account{}, noAccount()
		}
		if err := boltfile.Decode([]byte(hash), value, &session); err != nil {
			return vault.Account{}, err
		}
		if !session.Usable(now) {
			return vault.Account{}, noAccount()
		}
		return t.account(boltfile.UUID(session.Account))
	})
}

// EndSession implements store.Accounts.
func (s *Store) EndSession(ctx context.Context, hash string) error {
	return s.update(ctx, func(t *txn) error {
		if t.Get(sessionsBucket, []byte(hash)) == nil {
			return nil
		}
		return t.Delete(sessionsBucket, []byte(hash))
	})
}

// deleteLinksOf removes the links that were sent to an address, and the sessions of
// its account, which may be nil.
func (t *txn) deleteLinksOf(email string, a *vault.Account) error {
	stale, err := selectLinks(t, magicLinksBucket, func(link vault.MagicLink) bool { return link.Email == vault.FoldEmail(email) })
	if err != nil {
		return err
	}
	if a != nil {
		more, err := selectLinks(t, sessionsBucket, func(session vault.Session) bool { return session.Account == a.ID })
		if err != nil {
			return err
		}
		stale = append(stale, more...)
	}
	return t.deleteLinks(stale)
}

// linkKey is a key in a bucket.
type linkKey struct{ bucket, key []byte }

func (t *txn) deleteLinks(entries []linkKey) error {
	for _, e := range entries {
		if err := t.Delete(e.bucket, e.key); err != nil {
			return err
		}
	}
	return nil
}

// selectLinks lists the records of a bucket that are chosen.
func selectLinks[T any](t *txn, bucket []byte, chosen func(T) bool) (found []linkKey, err error) {
	err = t.Bucket(bucket).ForEach(func(k, v []byte) error {
		var one T
		if err := boltfile.Decode(k, v, &one); err != nil {
			return err
		}
		if chosen(one) {
			found = append(found, linkKey{bucket: bucket, key: bytes.Clone(k)})
		}
		return nil
	})
	return found, err
}

// expiredLinks lists links and sessions that are no longer usable.
func (t *txn) expiredLinks(now time.Time) ([]linkKey, error) {
	links, err := selectLinks(t, magicLinksBucket, func(link vault.MagicLink) bool { return !link.Usable(now) })
	if err != nil {
		return nil, err
	}
	ended, err := selectLinks(t, sessionsBucket, func(session vault.Session) bool { return !session.Usable(now) })
	return append(links, ended...), err
}

// deleteExpiredLinks removes links and sessions that are no longer usable and returns how
// many.
func (s *Store) deleteExpiredLinks(ctx context.Context, now time.Time) (int, error) {
	old, err := readTx(ctx, s, func(t *txn) ([]linkKey, error) { return t.expiredLinks(now) })
	if err != nil || len(old) == 0 {
		return 0, err // an idle home must not cost a write
	}
	return writeTx(ctx, s, func(t *txn) (int, error) {
		old, err := t.expiredLinks(now)
		if err != nil {
			return 0, err
		}
		return len(old), t.deleteLinks(old)
	})
}
