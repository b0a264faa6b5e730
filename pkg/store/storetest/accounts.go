package storetest

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// aboutAccounts is what stores promise about recipients.
func aboutAccounts() []test {
	return []test{
		{"proving an address assigns what was issued to it", redeemingAssigns},
		{"approval assigns to an account that exists", approvalAssigns},
		{"sign-in links serve once and for a time", magicLinks},
		{"sessions", sessions},
		{"erasing an account", erasingAccounts},
		{"corrections", corrections},
	}
}

// magicLink keeps a link to an address.
func (f *fixture) magicLink(email string) vault.MagicLink {
	f.Helper()
	link, secret, err := vault.NewMagicLink(f.random, email, f.tick())
	f.check(err)
	if link.Hash != vault.HashSecret(secret) {
		f.Fatal("a link is not kept under the hash of its secret")
	}
	f.check(f.store.AddMagicLink(f.Context(), link))
	return link
}

// redeem follows a link.
func (f *fixture) redeem(link vault.MagicLink) (vault.Account, vault.Session, int, error) {
	f.Helper()
	fresh, err := vault.NewAccount(f.random, "", f.tick())
	f.check(err)
	session, _, err := vault.NewSession(f.random, f.now)
	f.check(err)
	a, n, err := f.store.RedeemMagicLink(f.Context(), link.Hash, fresh, session, f.now)
	return a, session, n, err
}

// addressed accepts one draft to an address.
func (f *fixture) addressed(institution uint32, email string) vault.Certificate {
	f.Helper()
	d := f.draft()
	d.Email, d.Title = email, d.Name
	return f.insertOne(institution, d)
}

func (f *fixture) owned(a vault.Account, want ...vault.Certificate) {
	f.Helper()
	for _, perPage := range []int{max(len(want), 1), 1} {
		var got []string
		for n := 1; n <= len(want)/perPage+1; n++ {
			page, err := f.store.OwnedBy(f.Context(), a.ID, n, perPage)
			f.check(err)
			if page.Total != len(want) {
				f.Errorf("%s has %d certificates, want %d", a.Email, page.Total, len(want))
			}
			for _, c := range page.Certificates {
				got = append(got, c.Name)
				if c.Owner() != a.ID {
					f.Errorf("%s is assigned to %q, want %q", c.Name, c.Owner(), a.ID)
				}
			}
		}
		var names []string
		for i := range want {
			names = append(names, want[len(want)-1-i].Name)
		}
		f.wantSame(got, names, "assigned to "+a.Email)
	}
}

func redeemingAssigns(f *fixture) {
	const email = "Ada@Example.com"
	first := f.change(f.addressed(f.a, email), approve(f.tick()))
	second := f.change(f.addressed(f.b, "ada@EXAMPLE.com"), approve(f.tick()))
	revoked := f.change(f.change(f.addressed(f.a, email), approve(f.tick())), revoke(f.tick()))
	failed := f.change(f.addressed(f.a, email), fail(f.tick()))
	waiting := f.addressed(f.a, email)
	f.change(f.addressed(f.a, "ada@example.com.au"), approve(f.tick()))
	f.change(f.addressed(f.a, "an.ada@example.com"), approve(f.tick()))

	_, err := f.store.AccountByEmail(f.Context(), email)
	f.wantKind(err, fault.NotFound, "before it is proven")
	link := f.magicLink(email)
	account, _, n, err := f.redeem(link)
	f.check(err)
	if n != 3 || account.Email != "ada@example.com" {
		f.Errorf("%d certificates assigned to %q, want 3", n, account.Email)
	}
	known, err := f.store.AccountByEmail(f.Context(), "ADA@example.com")
	f.check(err)
	f.wantSame(known, account, "by address")
	f.owned(account, first, second, revoked)

	again, _, n, err := f.redeem(f.magicLink("ada@example.com"))
	f.check(err)
	f.wantSame(again, account, "proven again")
	if n != 0 {
		f.Errorf("%d assigned twice", n)
	}
	f.change(failed, retry(f.tick()))
	f.change(failed, approve(f.tick()))
	f.change(waiting, approve(f.tick()))
	f.owned(account, first, second, revoked, failed, waiting)
}

func approvalAssigns(f *fixture) {
	account, _, n, err := f.redeem(f.magicLink("ada@example.com"))
	f.check(err)
	if n != 0 {
		f.Errorf("%d assigned of none", n)
	}
	c := f.addressed(f.a, "ADA@example.com")
	if c.Owner() != "" {
		f.Error("assigned before it is issued")
	}
	f.claim(vault.JobSign, 1)
	c = f.change(c, approve(f.tick()))
	if c.Owner() != account.ID || !c.Assignment.At.Equal(c.ApprovedAt) {
		f.Errorf("assigned to %+v, want %s at %s", c.Assignment, account.ID, c.ApprovedAt)
	}
	f.wantSame(f.read(c), c, "as stored")
	f.owned(account, c)
	other := f.change(f.addressed(f.a, "bob@example.com"), approve(f.tick()))
	if other.Owner() != "" {
		f.Errorf("another address's is assigned to %q", other.Owner())
	}
	f.owned(account, c)
}

func magicLinks(f *fixture) {
	link := f.magicLink("ada@example.com")
	f.wantKind(f.store.AddMagicLink(f.Context(), link), fault.Conflict, "the same secret twice")
	found, err := f.store.MagicLink(f.Context(), link.Hash, f.now)
	f.check(err)
	f.wantSame(found, link, "a fresh link")
	_, err = f.store.MagicLink(f.Context(), link.Hash, link.CreatedAt.Add(30*time.Minute))
	f.wantKind(err, fault.NotFound, "a link that is too old")
	_, err = f.store.MagicLink(f.Context(), "none", f.now)
	f.wantKind(err, fault.NotFound, "an unknown link")
	_, _, _, err = f.redeem(link)
	f.check(err)
	_, _, _, err = f.redeem(link)
	f.wantKind(err, fault.NotFound, "following a link twice")
	_, err = f.store.MagicLink(f.Context(), link.Hash, f.now)
	f.wantKind(err, fault.NotFound, "a used link")
	old := f.magicLink("ada@example.com")
	f.now = f.now.Add(30 * time.Minute)
	_, _, _, err = f.redeem(old)
	f.wantKind(err, fault.NotFound, "following a link that is too old")
}

func sessions(f *fixture) {
	account, session, _, err := f.redeem(f.magicLink("ada@example.com"))
	f.check(err)
	_, other, _, err := f.redeem(f.magicLink("bob@example.com"))
	f.check(err)
	found, err := f.store.SessionAccount(f.Context(), session.Hash, f.now)
	f.check(err)
	f.wantSame(found, account, "the session's account")
	_, err = f.store.SessionAccount(f.Context(), session.Hash, session.CreatedAt.Add(vault.SessionTTL))
	f.wantKind(err, fault.NotFound, "a session that is over")
	f.check(f.store.EndSession(f.Context(), session.Hash))
	f.check(f.store.EndSession(f.Context(), session.Hash))
	_, err = f.store.SessionAccount(f.Context(), session.Hash, f.now)
	f.wantKind(err, fault.NotFound, "a session that was ended")
	_, err = f.store.SessionAccount(f.Context(), other.Hash, f.now)
	f.check(err)

	f.magicLink("carol@example.com")
	f.now = f.now.Add(vault.SessionTTL)
	n, err := f.store.DeleteExpired(f.Context(), f.now)
	f.check(err)
	if n != 2 { // the other session and the link
		f.Errorf("%d expired, want 2", n)
	}
	if n, err := f.store.DeleteExpired(f.Context(), f.now.Add(time.Hour)); n != 0 || err != nil {
		f.Errorf("%d expired again: %v", n, err)
	}
}

func erasingAccounts(f *fixture) {
	c := f.change(f.addressed(f.a, "ada@example.com"), approve(f.tick()))
	link := f.magicLink("ada@example.com")
	account, session, _, err := f.redeem(f.magicLink("ada@example.com"))
	f.check(err)
	other, kept, _, err := f.redeem(f.magicLink("bob@example.com"))
	f.check(err)
	for range 2 {
		f.check(f.store.EraseAccount(f.Context(), "Ada@example.com"))
	}
	_, err = f.store.AccountByEmail(f.Context(), "ada@example.com")
	f.wantKind(err, fault.NotFound, "an erased account")
	_, err = f.store.SessionAccount(f.Context(), session.Hash, f.now)
	f.wantKind(err, fault.NotFound, "its session")
	_, _, _, err = f.redeem(link)
	f.wantKind(err, fault.NotFound, "its link")
	f.owned(account)
	if owner := f.read(c).Owner(); owner != "" {
		f.Errorf("its certificate is still assigned to %q", owner)
	}
	found, err := f.store.SessionAccount(f.Context(), kept.Hash, f.now)
	f.check(err)
	f.wantSame(found, other, "another account")
}

func corrections(f *fixture) {
	mine, theirs := f.insertOne(f.a, f.draft()), f.insertOne(f.b, f.draft())
	add := func(c vault.Certificate, text string) (vault.CorrectionRequest, error) {
		made, err := vault.NewCorrectionRequest(c, text, f.tick())
		f.check(err)
		return f.store.AddCorrection(f.Context(), made)
	}
	list := func(institution uint32, all bool, what string, want ...vault.CorrectionRequest) {
		f.Helper()
		got, err := f.store.Corrections(f.Context(), institution, all)
		f.check(err)
		f.wantSame(got, want, what)
	}
	one, err := add(mine, "My name has two n.")
	f.check(err)
	two, err := add(mine, "And an e.")
	f.check(err)
	other, err := add(theirs, "Wrong title")
	f.check(err)
	list(f.a, false, "an institution's", one, two)
	list(f.b, false, "another's", other)
	finish := func(c vault.CorrectionRequest) (vault.CorrectionRequest, error) { return c.Finish(f.now) }
	_, err = f.store.ChangeCorrection(f.Context(), f.b, one.ID, finish)
	f.wantKind(err, fault.NotFound, "another institution's correction")
	done, err := f.store.ChangeCorrection(f.Context(), f.a, one.ID, finish)
	f.check(err)
	_, err = f.store.ChangeCorrection(f.Context(), f.a, one.ID, finish)
	f.wantKind(err, fault.Illegal, "finishing twice")
	list(f.a, false, "those that are open", two)
	list(f.a, true, "all", done, two)
	for range vault.MaxOpenCorrectionRequests - 1 {
		_, err = add(mine, "more")
		f.check(err)
	}
	_, err = add(mine, "too many")
	f.wantKind(err, fault.Unavailable, "one too many")
	f.check(f.store.DeleteCorrections(f.Context(), f.a, mine.UUID))
	list(f.a, true, "dropped")
	list(f.b, true, "another's, still", other)
}
