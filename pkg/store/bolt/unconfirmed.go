package bolt

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/vault"
)

// applicationTable implements the part of store.Applications that is about those that
// wait for a proof.
type applicationTable struct {
	read, write func(context.Context, func(*batchTx) error) error
}

// newApplicationTable works with functions that run another in a transaction.
func newApplicationTable(read, write func(context.Context, func(*batchTx) error) error) *applicationTable {
	return &applicationTable{read: read, write: write}
}

// AddUnconfirmed implements store.Applications.
func (s *applicationTable) AddUnconfirmed(ctx context.Context, w vault.UnconfirmedApplication, m vault.Mail) error {
	return s.write(ctx, func(t *batchTx) error {
		if w.Hash == "" || t.Get(unconfirmedBucket, []byte(w.Hash)) != nil {
			return fault.New(fault.Conflict, "the secret drawn for an application is taken; draw another")
		}
		if err := checkUnconfirmed(t.Tx, w); err != nil {
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
		_, err := addMail(t, m)
		return err
	})
}

// checkUnconfirmed bounds what anybody can leave here without proving anything.
func checkUnconfirmed(t *boltfile.Tx, more vault.UnconfirmedApplication) error {
	n, own, size := 0, 0, more.Size()
	err := eachUnconfirmed(t, func(w vault.UnconfirmedApplication) {
		n, size = n+1, size+w.Size()
		if vault.FoldEmail(w.Email) == vault.FoldEmail(more.Email) {
			own++
		}
	})
	switch {
	case err != nil:
		return err
	case own >= vault.MaxUnconfirmedPerAddress:
		return fault.New(fault.Illegal, "applications of this address wait for their confirmation already")
	case n >= vault.MaxUnconfirmed, size > vault.MaxUnconfirmedBytes:
		return fault.New(fault.Unavailable, "too many applications wait for their confirmation; apply again later")
	}
	return nil
}

func eachUnconfirmed(t *boltfile.Tx, do func(vault.UnconfirmedApplication)) error {
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
func (s *applicationTable) Unconfirmed(ctx context.Context, hash string, now time.Time) (vault.UnconfirmedApplication, error) {
	return boltfile.RunTx(ctx, s.read, func(t *batchTx) (vault.UnconfirmedApplication, error) { return getUnconfirmed(t.Tx, hash, now) })
}

// getUnconfirmed finds one by its hash; NotFound when it was used or is not usable any more.
func getUnconfirmed(t *boltfile.Tx, hash string, now time.Time) (vault.UnconfirmedApplication, error) {
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
	return fault.New(fault.NotFound, "The application was confirmed already, or the link is too old.")
}

// deleteUnconfirmed forgets a waiting application.
func deleteUnconfirmed(t *boltfile.Tx, w vault.UnconfirmedApplication) error {
	if w.Evidence != nil {
		if err := t.Delete(unconfirmedBlobsBucket, boltfile.JoinKey([]byte(w.Evidence.SHA256), []byte(w.Hash))); err != nil {
			return err
		}
	}
	return t.Delete(unconfirmedBucket, []byte(w.Hash))
}

// deleteUnconfirmedOf forgets those of an address.
func deleteUnconfirmedOf(t *boltfile.Tx, institution uint32, email string) ([]vault.UnconfirmedApplication, error) {
	return deleteUnconfirmedWhere(t, func(w vault.UnconfirmedApplication) bool {
		return w.Institution == institution && vault.FoldEmail(w.Email) == vault.FoldEmail(email)
	})
}

func deleteUnconfirmedWhere(t *boltfile.Tx, chosen func(vault.UnconfirmedApplication) bool) ([]vault.UnconfirmedApplication, error) {
	dropped, err := selectUnconfirmed(t, chosen)
	if err != nil {
		return nil, err
	}
	for _, w := range dropped {
		if err := deleteUnconfirmed(t, w); err != nil {
			return nil, err
		}
	}
	return dropped, nil
}

func selectUnconfirmed(t *boltfile.Tx, chosen func(vault.UnconfirmedApplication) bool) (found []vault.UnconfirmedApplication, err error) {
	err = eachUnconfirmed(t, func(w vault.UnconfirmedApplication) {
		if chosen(w) {
			found = append(found, w)
		}
	})
	return found, err
}

// DeleteExpiredUnconfirmed forgets those that are no longer usable and returns how many.
func (s *applicationTable) DeleteExpiredUnconfirmed(ctx context.Context, now time.Time) (int, error) {
	stale := func(w vault.UnconfirmedApplication) bool { return !w.Usable(now) }
	old, err := boltfile.RunTx(ctx, s.read, func(t *batchTx) ([]vault.UnconfirmedApplication, error) { return selectUnconfirmed(t.Tx, stale) })
	if err != nil || len(old) == 0 {
		return 0, err // an idle home must not cost a write
	}
	return boltfile.RunTx(ctx, s.write, func(t *batchTx) (int, error) {
		dropped, err := deleteUnconfirmedWhere(t.Tx, stale)
		return len(dropped), err
	})
}
