package bolt

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// AddUnconfirmed implements store.Applications.
func (s *Store) AddUnconfirmed(ctx context.Context, w vault.UnconfirmedApplication, m vault.Mail) error {
	return s.update(ctx, func(t *txn) error {
		if w.Hash == "" || t.Get(unconfirmedBucket, []byte(w.Hash)) != nil {
			return fault.New(fault.Conflict, "the secret drawn for an application is taken; draw another")
		}
		if err := t.checkUnconfirmed(w); err != nil {
			return err
		}
		if err := t.PutRecord(unconfirmedBucket, []byte(w.Hash), w); err != nil {
			return err
		}
		if w.Evidence != nil {
			if err := t.Put(unconfirmedBlobsBucket, boltfile.JoinKey([]byte(w.Evidence.SHA256), []byte(w.Hash)), nil); err != nil {
				return err
			}
		}
		_, err := t.addMail(m)
		return err
	})
}

// checkUnconfirmed bounds what anyone can store here without proving an address.
func (t *txn) checkUnconfirmed(more vault.UnconfirmedApplication) error {
	n, own, size := 0, 0, more.Size()
	err := t.eachUnconfirmed(func(w vault.UnconfirmedApplication) {
		n, size = n+1, size+w.Size()
		if vault.FoldEmail(w.Email) == vault.FoldEmail(more.Email) {
			own++
		}
	})
	switch {
	case err != nil:
		return err
	case own >= vault.MaxUnconfirmedPerAddress:
		return fault.New(fault.Illegal, "applications from this address are already waiting for confirmation; follow the link in their mail")
	case n >= vault.MaxUnconfirmed, size > vault.MaxUnconfirmedBytes:
		return fault.New(fault.Unavailable, "too many applications are waiting for confirmation; apply again later")
	}
	return nil
}

func (t *txn) eachUnconfirmed(do func(vault.UnconfirmedApplication)) error {
	return t.Bucket(unconfirmedBucket).ForEach(func(k, v []byte) error {
		var w vault.UnconfirmedApplication
		if err := boltfile.Decode(k, v, &w); err != nil {
			return err
		}
		do(w)
		return nil
	})
}

// Unconfirmed implements store.Applications.
func (s *Store) Unconfirmed(ctx context.Context, hash string, now time.Time) (vault.UnconfirmedApplication, error) {
	return readTx(ctx, s, func(t *txn) (vault.UnconfirmedApplication, error) { return t.unconfirmed(hash, now) })
}

// unconfirmed finds one by its hash; NotFound when it was used or is not usable any more.
func (t *txn) unconfirmed(hash string, now time.Time) (vault.UnconfirmedApplication, error) {
	var w vault.UnconfirmedApplication
	value := t.Get(unconfirmedBucket, []byte(hash))
	if value == nil {
		return w, noUnconfirmed()
	}
	err := boltfile.Decode([]byte(hash), value, &w)
	if err == nil && !w.Usable(now) {
		err = noUnconfirmed()
	}
	return w, err
}

func noUnconfirmed() error {
	return fault.New(fault.NotFound, "The application has already been confirmed, or the link is too old.")
}

// UnconfirmedOf implements store.Applications.
func (s *Store) UnconfirmedOf(ctx context.Context, institution uint32, email string) ([]vault.UnconfirmedApplication, error) {
	return readTx(ctx, s, func(t *txn) ([]vault.UnconfirmedApplication, error) { return t.unconfirmedOf(institution, email) })
}

func (t *txn) unconfirmedOf(institution uint32, email string) ([]vault.UnconfirmedApplication, error) {
	folded := vault.FoldEmail(email)
	return t.selectUnconfirmed(func(w vault.UnconfirmedApplication) bool {
		return w.Institution == institution && vault.FoldEmail(w.Email) == folded
	})
}

// deleteUnconfirmed removes an unconfirmed application.
func (t *txn) deleteUnconfirmed(w vault.UnconfirmedApplication) error {
	if w.Evidence != nil {
		if err := t.Delete(unconfirmedBlobsBucket, boltfile.JoinKey([]byte(w.Evidence.SHA256), []byte(w.Hash))); err != nil {
			return err
		}
	}
	return t.Delete(unconfirmedBucket, []byte(w.Hash))
}

// deleteUnconfirmedOf removes those of an address.
func (t *txn) deleteUnconfirmedOf(institution uint32, email string) ([]vault.UnconfirmedApplication, error) {
	return t.deleteUnconfirmedWhere(func(w vault.UnconfirmedApplication) bool {
		return w.Institution == institution && vault.FoldEmail(w.Email) == vault.FoldEmail(email)
	})
}

func (t *txn) deleteUnconfirmedWhere(chosen func(vault.UnconfirmedApplication) bool) ([]vault.UnconfirmedApplication, error) {
	dropped, err := t.selectUnconfirmed(chosen)
	if err != nil {
		return nil, err
	}
	for _, w := range dropped {
		if err := t.deleteUnconfirmed(w); err != nil {
			return nil, err
		}
	}
	return dropped, nil
}

func (t *txn) selectUnconfirmed(chosen func(vault.UnconfirmedApplication) bool) (found []vault.UnconfirmedApplication, err error) {
	err = t.eachUnconfirmed(func(w vault.UnconfirmedApplication) {
		if chosen(w) {
			found = append(found, w)
		}
	})
	return found, err
}

// deleteExpiredUnconfirmed removes those that are no longer usable and returns how many.
func (s *Store) deleteExpiredUnconfirmed(ctx context.Context, now time.Time) (int, error) {
	stale := func(w vault.UnconfirmedApplication) bool { return !w.Usable(now) }
	old, err := readTx(ctx, s, func(t *txn) ([]vault.UnconfirmedApplication, error) { return t.selectUnconfirmed(stale) })
	if err != nil || len(old) == 0 {
		return 0, err // an idle home must not cost a write
	}
	return writeTx(ctx, s, func(t *txn) (int, error) {
		dropped, err := t.deleteUnconfirmedWhere(stale)
		return len(dropped), err
	})
}
