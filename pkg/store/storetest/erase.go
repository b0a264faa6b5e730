package storetest

import (
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
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
