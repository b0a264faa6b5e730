package storetest

import (
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// reissue makes a successor with another name, or address where one is given.
func (f *fixture) reissue(c vault.Certificate, name, email string) (vault.Reissue, error) {
	f.Helper()
	id, err := vault.NewIdentity(f.random, f.tick(), 2026)
	f.check(err)
	m := vault.Amendment{Changes: vault.Changes{Name: &name}}
	if email != "" {
		m.Email = &email
	}
	return f.store.Reissue(f.Context(), c.Institution, c.UUID, func(c vault.Certificate) (vault.Reissue, error) {
		return c.Reissue(m, id, f.now)
	})
}

func reissueKeepsBoth(f *fixture) {
	first, _ := f.approved(f.a, unchanged)
	other := f.insertOne(f.a, f.draft())
	made, err := f.reissue(first, "Right Name", "")
	f.check(err)
	old, next := f.read(first), f.read(made.Next)
	f.wantSame(old, made.Old, "the replaced one")
	f.wantSame(next, made.Next, "the successor")
	if old.SupersededBy != next.UUID || next.Supersedes != old.UUID || next.Status != vault.Processing || next.ID == old.ID || next.Reference == old.Reference {
		f.Errorf("old %+v\nnext %+v", old, next)
	}
	holders, err := f.store.KeyHolders(f.Context(), f.a, []vault.Key{first.Key()})
	f.check(err)
	f.wantSame(holders, []*vault.Certificate{&old}, "who holds the key")
	f.finds(store.Filter{Institution: f.a, Search: "right name"}, next)
	f.finds(store.Filter{Institution: f.a, Email: first.Email}, old, next)
	_, err = f.reissue(old, "Another", "")
	f.wantKind(err, fault.Illegal, "replacing twice")

	next = f.change(next, approve(f.tick()))
	third, err := f.reissue(next, "Righter", other.Email)
	f.wantKind(err, fault.Invalid, "another's key")
	if third.Next.ID != 0 {
		f.Errorf("a refused successor was kept: %+v", third.Next)
	}
	third, err = f.reissue(next, "Right Name", "moved@example.org")
	f.check(err)
	moved := f.change(third.Next, approve(f.tick()))
	fourth, err := f.reissue(moved, "Right Name", first.Email)
	f.check(err)
	mails := f.mailsOf(store.MailFilter{Institution: f.a, Certificate: moved.ID})
	if len(mails) != 1 || mails[0].Kind != vault.MailReissued || mails[0].To != "moved@example.org" {
		f.Errorf("mails about a successor: %+v", mails)
	}
	last := f.events(f.read(moved))
	if n := len(last); n != 3 || last[n-1].Type != vault.EventSuperseded || fourth.Old.SupersededBy != fourth.Next.UUID {
		f.Errorf("events %+v", last)
	}
	again := f.insert(f.newCertificate(f.a, vault.Draft{Content: vault.Content{Title: first.Title, Name: "x", Email: first.Email, IssueDate: first.IssueDate}, File: first.File}))
	if !again[0].Duplicate || again[0].Certificate.ID != first.ID {
		f.Errorf("the key is free: %+v", again[0])
	}
}
