package account

import (
	"bytes"
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// AddSignIn implements store.Accounts.
func (s *Register) AddSignIn(ctx context.Context, link vault.SignIn) error {
	return s.write(ctx, func(t *tree.Tx) error {
		if t.Get(signIns, []byte(link.Hash)) != nil {
			return fault.New(fault.Conflict, "the secret drawn for a link is taken; draw another")
		}
		return t.Keep(signIns, []byte(link.Hash), link)
	})
}

// SignIn implements store.Accounts.
func (s *Register) SignIn(ctx context.Context, hash string, now time.Time) (vault.SignIn, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (vault.SignIn, error) { return Link(t, hash, now) })
}

// Link finds one by its hash; NotFound when it is used up or not usable any more.
func Link(t *tree.Tx, hash string, now time.Time) (vault.SignIn, error) {
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

// Begin uses a link up, and begins a session.
func Begin(t *tree.Tx, link vault.SignIn, session vault.Session) error {
	if err := t.Keep(sessions, []byte(session.Hash), session); err != nil {
		return err
	}
	return t.Delete(signIns, []byte(link.Hash))
}

// SessionAccount implements store.Accounts.
func (s *Register) SessionAccount(ctx context.Context, hash string, now time.Time) (vault.Account, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) (vault.Account, error) {
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
		return get(t, record.UUID(session.Account))
	})
}

// EndSession implements store.Accounts.
func (s *Register) EndSession(ctx context.Context, hash string) error {
	return s.write(ctx, func(t *tree.Tx) error {
		if t.Get(sessions, []byte(hash)) == nil {
			return nil
		}
		return t.Delete(sessions, []byte(hash))
	})
}

// dropLinks forgets the links that were sent to an address, and the sessions of
// its account, which may be nil.
func dropLinks(t *tree.Tx, email string, a *vault.Account) error {
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
	return drop(t, stale)
}

// entry is a key in a bucket.
type entry struct{ bucket, key []byte }

func drop(t *tree.Tx, entries []entry) error {
	for _, e := range entries {
		if err := t.Delete(e.bucket, e.key); err != nil {
			return err
		}
	}
	return nil
}

// listed lists the records of a bucket that are chosen.
func listed[T any](t *tree.Tx, bucket []byte, chosen func(T) bool) (found []entry, err error) {
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
func staleLinks(t *tree.Tx, now time.Time) ([]entry, error) {
	links, err := listed(t, signIns, func(link vault.SignIn) bool { return !link.Usable(now) })
	if err != nil {
		return nil, err
	}
	ended, err := listed(t, sessions, func(session vault.Session) bool { return !session.Usable(now) })
	return append(links, ended...), err
}

// ExpireLinks forgets links and sessions that are no longer usable and returns how
// many.
func (s *Register) ExpireLinks(ctx context.Context, now time.Time) (int, error) {
	old, err := tree.Run(ctx, s.read, func(t *tree.Tx) ([]entry, error) { return staleLinks(t, now) })
	if err != nil || len(old) == 0 {
		return 0, err // an idle home must not cost a write
	}
	return tree.Run(ctx, s.write, func(t *tree.Tx) (int, error) {
		old, err := staleLinks(t, now)
		if err != nil {
			return 0, err
		}
		return len(old), drop(t, old)
	})
}
