package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// AddSignIn implements store.Accounts.
func (s *Store) AddSignIn(ctx context.Context, link vault.SignIn) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		if t.Get(signIns, []byte(link.Hash)) != nil {
			return struct{}{}, fault.New(fault.Conflict, "the secret drawn for a link is taken; draw another")
		}
		return struct{}{}, t.Keep(signIns, []byte(link.Hash), link)
	})
	return err
}

// SignIn implements store.Accounts.
func (s *Store) SignIn(ctx context.Context, hash string, now time.Time) (vault.SignIn, error) {
	return read(ctx, s, func(t *txn) (vault.SignIn, error) { return t.signIn(hash, now) })
}

func (t *txn) signIn(hash string, now time.Time) (vault.SignIn, error) {
	var link vault.SignIn
	value := t.Get(signIns, []byte(hash))
	if value == nil {
		return link, noLink()
	}
	err := record.Decode([]byte(hash), value, &link)
	if err == nil && !link.Usable(now) {
		err = noLink()
	}
	return link, err
}

func noLink() error { return fault.New(fault.NotFound, "The link was used already, or it is too old.") }

// Prove implements store.Accounts.
func (s *Store) Prove(ctx context.Context, hash string, fresh vault.Account, begin vault.Session, now time.Time) (vault.Account, int, error) {
	assigned := 0
	proven, err := write(ctx, s, func(t *txn) (vault.Account, error) {
		link, err := t.signIn(hash, now)
		if err != nil {
			return fresh, err
		}
		owner, err := t.accountOf(link.Email)
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
		if assigned, err = t.assignAll(*owner, now); err != nil {
			return fresh, err
		}
		begin.Account = owner.ID
		if err := t.Keep(sessions, []byte(begin.Hash), begin); err != nil {
			return fresh, err
		}
		return *owner, t.Delete(signIns, []byte(hash))
	})
	return proven, assigned, err
}

// SessionAccount implements store.Accounts.
func (s *Store) SessionAccount(ctx context.Context, hash string, now time.Time) (vault.Account, error) {
	return read(ctx, s, func(t *txn) (vault.Account, error) {
		var session vault.Session
		value := t.Get(sessions, []byte(hash))
		if value == nil {
			return vault.Account{}, noAccount()
		}
		if err := record.Decode([]byte(hash), value, &session); err != nil {
			return vault.Account{}, err
		}
		if !session.Usable(now) {
			return vault.Account{}, noAccount()
		}
		return t.account(record.UUID(session.Account))
	})
}

// EndSession implements store.Accounts.
func (s *Store) EndSession(ctx context.Context, hash string) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		if t.Get(sessions, []byte(hash)) == nil {
			return struct{}{}, nil
		}
		return struct{}{}, t.Delete(sessions, []byte(hash))
	})
	return err
}

// dropLinks forgets the links that were sent to an address, and the sessions of
// its account, which may be nil.
func (t *txn) dropLinks(email string, a *vault.Account) error {
	stale, err := listed(t, signIns, func(link vault.SignIn) bool { return link.Email == vault.FoldEmail(email) })
	if err != nil {
		return err
	}
	if a != nil {
		more, err := listed(t, sessions, func(session vault.Session) bool { return session.Account == a.ID })
		if err != nil {
			return err
		}
		stale = append(stale, more...)
	}
	for _, e := range stale {
		if err := t.Delete(e.bucket, e.key); err != nil {
			return err
		}
	}
	return nil
}

// listed lists the records of a bucket that are chosen.
func listed[T any](t *txn, bucket []byte, chosen func(T) bool) (found []entry, err error) {
	err = t.Bucket(bucket).ForEach(func(k, v []byte) error {
		var one T
		if err := record.Decode(k, v, &one); err != nil {
			return err
		}
		if chosen(one) {
			found = append(found, entry{bucket: bucket, key: bytes.Clone(k)})
		}
		return nil
	})
	return found, err
}

// staleLinks lists links and sessions that are no longer usable.
func (t *txn) staleLinks(now time.Time) ([]entry, error) {
	links, err := listed(t, signIns, func(link vault.SignIn) bool { return !link.Usable(now) })
	if err != nil {
		return nil, err
	}
	ended, err := listed(t, sessions, func(session vault.Session) bool { return !session.Usable(now) })
	return append(links, ended...), err
}

// Expire implements store.Uploads, for links and sessions too.
func (s *Store) Expire(ctx context.Context, now time.Time) (int, error) {
	n, err := s.uploads.Expire(ctx, now)
	if err != nil {
		return n, err
	}
	old, err := read(ctx, s, func(t *txn) ([]entry, error) { return t.staleLinks(now) })
	if err != nil || len(old) == 0 {
		return n, err // an idle home must not cost a write
	}
	more, err := write(ctx, s, func(t *txn) (int, error) {
		old, err := t.staleLinks(now)
		if err != nil {
			return 0, err
		}
		for _, e := range old {
			if err := t.Delete(e.bucket, e.key); err != nil {
				return 0, err
			}
		}
		return len(old), nil
	})
	return n + more, err
}
