package bolt

import (
	"bytes"
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault"
)

// openOf is what the keys of an address's open applications begin with.
func openOf(institution uint32, email string) []byte {
	return record.Join(record.U32(institution), record.Text(vault.FoldEmail(email)))
}

func openKey(c vault.Certificate) []byte {
	return record.Join(openOf(c.Institution, c.Email), record.U64(c.ID))
}

// checkKey refuses a change that would give a certificate a key that another holds.
func (t *txn) checkKey(old, c vault.Certificate) error {
	if c.Key() == old.Key() || !c.KeepsKey() || c.Source != vault.FromCustomer {
		return nil
	}
	holder, err := t.holder(c.Institution, c.Key())
	if err != nil || holder == nil || holder.ID == c.ID {
		return err
	}
	return fault.InvalidFields([]fault.Field{{Name: "issue_date", Message: vault.DuplicateMessage}})
}

// moveApplication keeps what leads to an application after a decision about it: its
// key moves or is freed, it is open no more, and what it is issued with is needed.
func (t *txn) moveApplication(old, c vault.Certificate) error {
	if old.Source != vault.FromCustomer {
		return nil
	}
	id := record.U64(c.ID)
	if old.Open() && !c.Open() {
		if err := t.Delete(openByEmail, openKey(old)); err != nil {
			return err
		}
	}
	if c.File.SHA256 != old.File.SHA256 && c.File.SHA256 != "" {
		if err := t.Put(byBlob, record.Join([]byte(c.File.SHA256), id), nil); err != nil {
			return err
		}
	}
	if c.Key() == old.Key() && c.KeepsKey() == old.KeepsKey() {
		return nil
	}
	if from := keyKey(old.Institution, old.Key()); bytes.Equal(t.Get(byKey, from), id) {
		if err := t.Delete(byKey, from); err != nil {
			return err
		}
	}
	if !c.KeepsKey() {
		return nil
	}
	return t.Put(byKey, keyKey(c.Institution, c.Key()), id)
}

// Submit implements store.Applications.
func (s *Store) Submit(ctx context.Context, a store.Acceptance, hash string, now time.Time) (vault.Certificate, error) {
	return write(ctx, s, func(t *txn) (vault.Certificate, error) {
		c := a.Certificate
		var waited *vault.Waiting
		if hash != "" {
			w, err := t.waiting(hash, now)
			if err != nil {
				return c, err
			}
			waited = &w
		}
		if err := t.checkSubmission(a); err != nil {
			return c, err
		}
		c, err := t.accept(a)
		if err != nil {
			return c, err
		}
		if err := t.putEntries(); err != nil || waited == nil {
			return c, err
		}
		return c, t.dropWaiting(*waited)
	})
}

func (t *txn) checkSubmission(a store.Acceptance) error {
	c := a.Certificate
	result := make([]store.Accepted, 1)
	if _, err := t.checkAcceptances([]store.Acceptance{a}, result); err != nil {
		return err
	}
	if held := result[0].Certificate; result[0].Duplicate {
		return fault.Newf(fault.Illegal, "an application for %q by this address waits already (%s)", held.Title, held.Reference)
	}
	if n := len(t.Under(openByEmail, openOf(c.Institution, c.Email))); n >= vault.MaxOpenApplications {
		return fault.Newf(fault.Unavailable, "%d applications of this address wait already; apply again when they are decided", n)
	}
	return nil
}

// AddWaiting implements store.Applications.
func (s *Store) AddWaiting(ctx context.Context, w vault.Waiting, m vault.Mail) error {
	_, err := write(ctx, s, func(t *txn) (struct{}, error) {
		if w.Hash == "" || t.Get(applications, []byte(w.Hash)) != nil {
			return struct{}{}, fault.New(fault.Conflict, "the secret drawn for an application is taken; draw another")
		}
		if err := t.checkWaiting(w); err != nil {
			return struct{}{}, err
		}
		if err := t.putUnder(applications, []byte(w.Hash), w); err != nil {
			return struct{}{}, err
		}
		if w.Evidence != nil {
			if err := t.Put(waitingBlobs, record.Join([]byte(w.Evidence.SHA256), []byte(w.Hash)), nil); err != nil {
				return struct{}{}, err
			}
		}
		_, err := t.addMail(m)
		return struct{}{}, err
	})
	return err
}

// checkWaiting bounds what anybody can leave here without proving anything.
func (t *txn) checkWaiting(more vault.Waiting) error {
	n, own, size := 0, 0, more.Size()
	err := t.eachWaiting(func(w vault.Waiting) {
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

func (t *txn) eachWaiting(each func(vault.Waiting)) error {
	return t.Bucket(applications).ForEach(func(k, v []byte) error {
		var w vault.Waiting
		if err := record.Decode(k, v, &w); err != nil {
			return err
		}
		each(w)
		return nil
	})
}

// Waiting implements store.Applications.
func (s *Store) Waiting(ctx context.Context, hash string, now time.Time) (vault.Waiting, error) {
	return read(ctx, s, func(t *txn) (vault.Waiting, error) { return t.waiting(hash, now) })
}

func (t *txn) waiting(hash string, now time.Time) (vault.Waiting, error) {
	var w vault.Waiting
	value := t.Get(applications, []byte(hash))
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

func (t *txn) dropWaiting(w vault.Waiting) error {
	for _, e := range entriesOf(w) {
		if err := t.Delete(e.bucket, e.key); err != nil {
			return err
		}
	}
	return nil
}

// entriesOf lists what is kept of a waiting application.
func entriesOf(w vault.Waiting) []entry {
	all := []entry{{bucket: applications, key: []byte(w.Hash)}}
	if w.Evidence != nil {
		all = append(all, entry{bucket: waitingBlobs, key: record.Join([]byte(w.Evidence.SHA256), []byte(w.Hash))})
	}
	return all
}

func (t *txn) staleWaiting(now time.Time) (stale []entry, err error) {
	err = t.eachWaiting(func(w vault.Waiting) {
		if !w.Usable(now) {
			stale = append(stale, entriesOf(w)...)
		}
	})
	return stale, err
}

// dropWaitingOf forgets the waiting applications of an address.
func (t *txn) dropWaitingOf(institution uint32, email string) (dropped []vault.Waiting, err error) {
	err = t.eachWaiting(func(w vault.Waiting) {
		if w.Institution == institution && vault.FoldEmail(w.Email) == vault.FoldEmail(email) {
			dropped = append(dropped, w)
		}
	})
	for _, w := range dropped {
		if err == nil {
			err = t.dropWaiting(w)
		}
	}
	return dropped, err
}
