package application

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/batch"
	"github.com/vecctl/vecctl/pkg/store/bolt/mail"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Register implements the part of store.Applications that is about those that
// wait for a proof.
type Register struct {
	read, write func(context.Context, func(*batch.Tx) error) error
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*batch.Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

// AddWaiting implements store.Applications.
func (s *Register) AddWaiting(ctx context.Context, w vault.Waiting, m vault.Mail) error {
	return s.write(ctx, func(t *batch.Tx) error {
		if w.Hash == "" || t.Get(waiting, []byte(w.Hash)) != nil {
			return fault.New(fault.Conflict, "the secret drawn for an application is taken; draw another")
		}
		if err := checkWaiting(t.Tx, w); err != nil {
			return err
		}
		if err := t.Keep(waiting, []byte(w.Hash), w); err != nil {
			return err
		}
		if w.Evidence != nil {
			if err := t.Put(waitingBlobs, record.Join([]byte(w.Evidence.SHA256), []byte(w.Hash)), nil); err != nil {
				return err
			}
		}
		_, err := mail.Add(t, m)
		return err
	})
}

// checkWaiting bounds what anybody can leave here without proving anything.
func checkWaiting(t *tree.Tx, more vault.Waiting) error {
	n, own, size := 0, 0, more.Size()
	err := each(t, func(w vault.Waiting) {
		n, size = n+1, size+w.Size()
		if vault.FoldEmail(w.Email) == vault.FoldEmail(more.Email) {
			own++
		}
	})
	switch {
	case err != nil:
		return err
	case own >= vault.MaxWaitingOfOne:
		return fault.New(fault.Illegal, "applications of this address wait for their confirmation already")
	case n >= vault.MaxWaiting, size > vault.MaxWaitingBytes:
		return fault.New(fault.Unavailable, "too many applications wait for their confirmation; apply again later")
	}
	return nil
}

func each(t *tree.Tx, do func(vault.Waiting)) error {
	return t.Bucket(waiting).ForEach(func(k, v []byte) error {
		var w vault.Waiting
		if err := record.Decode(k, v, &w); err != nil {
			return err
		}
		do(w)
		return nil
	})
}

// Waiting implements store.Applications.
func (s *Register) Waiting(ctx context.Context, hash string, now time.Time) (vault.Waiting, error) {
	return tree.Run(ctx, s.read, func(t *batch.Tx) (vault.Waiting, error) { return Waiting(t.Tx, hash, now) })
}

// Waiting finds one by its hash; NotFound when it was used or is not usable any more.
func Waiting(t *tree.Tx, hash string, now time.Time) (vault.Waiting, error) {
	var w vault.Waiting
	value := t.Get(waiting, []byte(hash))
	if value == nil {
		return w, noWaiting()
	}
	err := record.Decode([]byte(hash), value, &w)
	if err == nil && !w.Usable(now) {
		err = noWaiting()
	}
	return w, err
}

func noWaiting() error {
	return fault.New(fault.NotFound, "The application was confirmed already, or the link is too old.")
}

// Drop forgets a waiting application.
func Drop(t *tree.Tx, w vault.Waiting) error {
	if w.Evidence != nil {
		if err := t.Delete(waitingBlobs, record.Join([]byte(w.Evidence.SHA256), []byte(w.Hash))); err != nil {
			return err
		}
	}
	return t.Delete(waiting, []byte(w.Hash))
}

// DropOf forgets those of an address.
func DropOf(t *tree.Tx, institution uint32, email string) ([]vault.Waiting, error) {
	return drop(t, func(w vault.Waiting) bool {
		return w.Institution == institution && vault.FoldEmail(w.Email) == vault.FoldEmail(email)
	})
}

func drop(t *tree.Tx, chosen func(vault.Waiting) bool) ([]vault.Waiting, error) {
	dropped, err := choose(t, chosen)
	if err != nil {
		return nil, err
	}
	for _, w := range dropped {
		if err := Drop(t, w); err != nil {
			return nil, err
		}
	}
	return dropped, nil
}

func choose(t *tree.Tx, chosen func(vault.Waiting) bool) (found []vault.Waiting, err error) {
	err = each(t, func(w vault.Waiting) {
		if chosen(w) {
			found = append(found, w)
		}
	})
	return found, err
}

// ExpireWaiting forgets those that are no longer usable and returns how many.
func (s *Register) ExpireWaiting(ctx context.Context, now time.Time) (int, error) {
	stale := func(w vault.Waiting) bool { return !w.Usable(now) }
	old, err := tree.Run(ctx, s.read, func(t *batch.Tx) ([]vault.Waiting, error) { return choose(t.Tx, stale) })
	if err != nil || len(old) == 0 {
		return 0, err // an idle home must not cost a write
	}
	return tree.Run(ctx, s.write, func(t *batch.Tx) (int, error) {
		dropped, err := drop(t.Tx, stale)
		return len(dropped), err
	})
}
