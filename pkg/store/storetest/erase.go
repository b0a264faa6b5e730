package storetest

import (
	"context"
	"errors"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// erasing issues three certificates to one person and one to another, and forgets
// the person.
func erasing(f *fixture) {
	who := func(d *vault.Draft) {
		d.Name, d.Email, d.Undated = "Jolanta Kowalczyk", "jolanta@example.org", true
		d.Title += " " + d.File.SHA256[60:]
	}
	first, _ := f.approved(f.a, who)
	second, waiting := f.approved(f.a, who)
	made, err := f.reissue(first, "Jolanta Kowalska", "")
	f.check(err)
	other, _ := f.approved(f.a, unchanged)
	theirs, _ := f.approved(f.b, who)
	f.check(f.store.QueueMail(f.Context(), vault.NewSignInMail(f.a, "Jolanta@Example.org", "https://x/s", f.tick())))

	_, err = f.store.Erase(f.Context(), f.a, "jolanta@example.org", nil, f.tick())
	f.wantKind(err, fault.Illegal, "erasing while one is processed")
	f.wantSame(f.read(second), second, "after a refused erasure")
	third := f.change(made.Next, approve(f.tick()))

	for _, c := range []vault.Certificate{first, other} {
		wish, err := vault.NewCorrectionRequest(c, "Her name has one w", f.tick())
		f.check(err)
		_, err = f.store.AddCorrection(f.Context(), wish)
		f.check(err)
	}
	done, err := f.store.Erase(f.Context(), f.a, " JOLANTA@example.org", nil, f.tick())
	f.check(err)
	if len(done.Certificates) != 3 || len(done.Mails) != 4 {
		f.Errorf("erased %d certificates and %d mails", len(done.Certificates), len(done.Mails))
	}
	if left, err := f.store.Corrections(f.Context(), f.a, true); err != nil || len(left) != 1 || left[0].Certificate != other.UUID {
		f.Errorf("wishes that are left: %+v, %v", left, err)
	}
	for _, c := range []vault.Certificate{first, second, third} {
		f.wantErased(c)
	}
	f.finds(store.Filter{Institution: f.a, Search: "kowal"})
	f.finds(store.Filter{Institution: f.a, Email: "jolanta@example.org"})
	f.finds(store.Filter{Institution: f.b, Search: "kowal"}, theirs)
	f.finds(store.Filter{Institution: f.a, Search: "person"}, other)
	f.wantSame(f.counts(f.a), vault.Counts{Approved: 1, Revoked: 3}, "counts")
	for _, m := range f.mailsOf(store.MailFilter{Institution: f.a}) {
		if m.Certificate != other.ID && (m.To != "" || m.State == vault.MailWaiting) {
			f.Errorf("a mail is %+v", m)
		}
	}
	f.wantSame(f.queues()[vault.JobMail], store.QueueLength{Waiting: 2}, "mails of others")
	_, err = f.store.RepeatMail(f.Context(), f.a, waiting.ID, func(m vault.Mail) (vault.Mail, error) { return m.Repeat("", f.now) })
	f.wantKind(err, fault.Illegal, "repeating an erased mail")
	again, err := f.store.Erase(f.Context(), f.a, "jolanta@example.org", nil, f.tick())
	f.check(err)
	f.wantSame(len(again.Certificates)+len(again.Mails), 0, "erased twice")
	d := f.draft()
	who(&d)
	d.Title = first.Title
	f.insertOne(f.a, d)
}

// wantErased wants nothing left of a certificate but its reference ID.
func (f *fixture) wantErased(c vault.Certificate) {
	f.Helper()
	got, err := f.store.ByReference(f.Context(), c.Reference)
	f.check(err)
	if got.ErasedAt == nil || got.Status != vault.Revoked {
		f.Errorf("it is %+v", got)
	}
	for _, v := range []any{got, f.events(c)} {
		if s := strings.ToLower(f.written(v)); strings.Contains(s, "jolanta") || strings.Contains(s, c.File.SHA256) || strings.Contains(s, c.Title) {
			f.Errorf("there is still %s", s)
		}
	}
	if used, err := f.store.BlobReferenced(f.Context(), c.File.SHA256); err != nil || used {
		f.Errorf("its document is needed: %v, %v", used, err)
	}
	_, err = f.store.Tail(f.Context(), c.ID)
	f.wantKind(err, fault.NotFound, "its tail")
	_, err = f.store.ByShareToken(f.Context(), c.ShareToken)
	f.wantKind(err, fault.NotFound, "its page")
	dates, err := f.store.FrozenDates(f.Context(), f.a, []vault.Key{vault.Draft{Content: vault.Content{Title: c.Title, Email: c.Email}, File: c.File}.FreezeKey()})
	f.check(err)
	f.wantSame(dates, []vault.Date{""}, "its frozen date")
	f.finds(store.Filter{Institution: f.a, Search: c.Reference}, got)
}

// erasedEvents takes the content out of received events that name an address.
func erasedEvents(f *fixture) {
	add := func(identity, body string) webhook.InboundEvent {
		r, isNew, err := f.store.AddInboundEvent(f.Context(), webhook.InboundEvent{Identity: identity, At: f.now, Event: "x", Body: []byte(body),
			Headers: map[string][]string{"X-Name": {"canary"}}, Tasks: []webhook.InboundTask{{State: webhook.Pending, RunAt: f.now}}})
		f.check(err)
		if !isNew {
			f.Errorf("%s is known", identity)
		}
		return r
	}
	other, about := add("other", `{"email":"ben@example.org"}`), add("about", `{"email":"Ann@Example.org"}`)
	n, err := f.store.EraseInboundEvents(f.Context(), "ann@example.org")
	f.check(err)
	all, err := f.store.InboundEvents(f.Context(), 0, 10)
	f.check(err)
	if n != 1 || len(all) != 2 || string(all[0].Body) != `{"erased":true}` || all[0].Headers != nil || all[0].Tasks[0].State == webhook.Pending {
		f.Errorf("%d events were erased; kept are %+v", n, all)
	}
	f.wantSame(all[1], other, "an event about somebody else")
	if _, isNew, err := f.store.AddInboundEvent(f.Context(), about); err != nil || isNew {
		f.Errorf("an event that was erased is new again: %v", err)
	}
}

// knownAddress finds what is kept of an address besides certificates.
func knownAddress(f *fixture) {
	f.check(f.store.QueueMail(f.Context(), vault.Mail{Institution: f.a, To: "Ann@example.org", State: vault.MailWaiting, CreatedAt: f.now}))
	for _, one := range []struct {
		institution uint32
		email       string
		want        bool
	}{{f.a, "ann@example.org", true}, {f.b, "ann@example.org", false}, {f.a, "ben@example.org", false}} {
		if known, err := f.store.KnowsAddress(f.Context(), one.institution, one.email); err != nil || known != one.want {
			f.Errorf("%+v is known: %t, %v", one, known, err)
		}
	}
}

// wiped keeps everything when the room that is free is overwritten.
func wiped(f *fixture) {
	all := f.insertMany(f.a, 50, func(int, *vault.Draft) {})
	f.change(all[7], approve(f.tick()))
	_, err := f.store.Erase(f.Context(), f.a, all[7].Email, nil, f.tick())
	f.check(err)
	f.check(f.store.Wipe(f.Context()))
	all[7] = f.read(all[7])
	f.reopen()
	for _, c := range all {
		f.wantSame(f.read(c), c, "a certificate after wiping")
	}
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	if err := f.store.Wipe(ctx); !errors.Is(err, context.Canceled) {
		f.Errorf("wiping after its caller gave up: %v", err)
	}
	f.insertOne(f.a, f.draft())
}
