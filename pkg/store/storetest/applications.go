package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// aboutApplications are what stores promise about what people apply for.
func aboutApplications() []test {
	return []test{
		{"applications are kept and decided", applicationsAreDecided},
		{"applications wait for a proof", applicationsWait},
		{"applications that wait are bounded", unconfirmedIsBounded},
		{"two decide at once", twoDecideAtOnce},
		{"erasing forgets applications", erasingForgetsApplications},
		{"evidence of a rejected application is dropped", droppedEvidence},
	}
}

func (f *fixture) submission(email, title string) vault.Submission {
	f.drawn++
	return vault.Submission{Proof: vault.ProvenByStaff, Day: "2026-05-02", ApplicationDraft: vault.ApplicationDraft{
		Content:  vault.Content{Title: title, Name: "Ada Lovelace", Email: email},
		Evidence: &vault.File{Name: "scan.pdf", Format: "pdf", Size: 10, SHA256: fmt.Sprintf("%064x", 1000+f.drawn)},
	}}
}

func (f *fixture) application(institution uint32, s vault.Submission) store.NewCertificate {
	f.Helper()
	id, err := vault.NewIdentity(f.random, f.tick(), 2026)
	f.check(err)
	c, fx := vault.Submit(s, institution, id, f.now)
	return store.NewCertificate{Certificate: c, Effects: fx}
}

func (f *fixture) submit(institution uint32, s vault.Submission) vault.Certificate {
	f.Helper()
	c, err := f.store.Submit(f.Context(), f.application(institution, s), "", f.now)
	f.check(err)
	return c
}

func inReview(at time.Time) store.Change {
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.TakeInReview("staff", at)
	}
}

func reject(at time.Time) store.Change {
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Reject("staff", "no", at)
	}
}

func approveApplication(at time.Time, day vault.Date) store.Change {
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.ApproveApplication(vault.Approval{By: "staff", IssueDate: day,
			File: vault.File{Name: "d.pdf", Format: "pdf", Size: 7, SHA256: fmt.Sprintf("%064x", 5000+c.ID)}}, at)
	}
}

func (f *fixture) wantReferenced(want bool, sums ...string) {
	f.Helper()
	for _, sum := range sums {
		got, err := f.store.BlobReferenced(f.Context(), sum)
		if f.check(err); got != want {
			f.Errorf("%s is needed: %v, want %v", sum, got, want)
		}
	}
}

func applicationsAreDecided(f *fixture) {
	s := f.submission("ada@example.com", "Diploma")
	c := f.submit(f.a, s)
	f.wantSame(f.read(c), c, "the application")
	f.wantReferenced(true, s.Evidence.SHA256)
	other := f.submit(f.b, s)
	f.finds(store.Filter{Institution: f.a, Source: vault.FromCustomer, Open: true}, c)
	f.finds(store.Filter{Institution: f.a, Source: vault.FromVault})

	// One for a title at a time, whatever its spelling; rejecting makes room.
	_, err := f.store.Submit(f.Context(), f.application(f.a, f.submission(" ADA@example.com", "Diploma")), "", f.now)
	f.wantKind(err, fault.Illegal, "a second one for the same title")
	f.change(c, inReview(f.tick()))
	_, err = f.store.Submit(f.Context(), f.application(f.a, s), "", f.now)
	f.wantKind(err, fault.Illegal, "a second one while the first is in review")
	rejected := f.change(c, reject(f.tick()))
	f.finds(store.Filter{Institution: f.a, Open: true})
	f.finds(store.Filter{Institution: f.a, Status: vault.Rejected}, rejected)
	f.wantReferenced(true, s.Evidence.SHA256)
	again := f.submit(f.a, s)

	// Approving gives it the key of a certificate on its day.
	held := f.insertOne(f.a, vault.Draft{Content: vault.Content{Title: "Diploma", Name: "Ada", Email: "ada@example.com", IssueDate: "2026-05-09"}, File: f.draft().File})
	_, err = f.store.Change(f.Context(), f.a, again.UUID, approveApplication(f.tick(), "2026-05-09"))
	f.wantKind(err, fault.Invalid, "approving on a day that another certificate has")
	approved := f.change(again, approveApplication(f.tick(), "2026-05-10"))
	f.wantReferenced(true, approved.File.SHA256, s.Evidence.SHA256)
	holders, err := f.store.KeyHolders(f.Context(), f.a, []vault.Key{held.Key(), approved.Key(), again.Key(), rejected.Key()})
	f.check(err)
	f.wantSame(holders, []*vault.Certificate{&held, &approved, nil, nil}, "holders")
	f.finds(store.Filter{Institution: f.a, From: "2026-05-10"}, approved)
	f.finds(store.Filter{Institution: f.a, Source: vault.FromCustomer}, approved, rejected)
	f.finds(store.Filter{Institution: f.a, Source: vault.FromVault}, held)
	f.finds(store.Filter{Institution: f.b, Open: true}, other)
	if got := f.counts(f.a); got != (vault.Counts{Processing: 2, Rejected: 1}) {
		f.Errorf("counts %+v", got)
	}
	f.submit(f.a, s) // it is decided, so another may be submitted
	events := f.events(approved)
	if len(events) != 2 || events[1].Type != vault.EventProcessing || events[1].Source != vault.FromCustomer {
		f.Errorf("events %+v", events)
	}
}

func applicationsWait(f *fixture) {
	s := f.submission("ada@example.com", "Diploma")
	w, secret, err := vault.NewUnconfirmedApplication(f.random, f.a, s.ApplicationDraft, f.tick())
	f.check(err)
	mail := w.ConfirmationMail("https://vault.example/apply/confirm/"+secret, vault.ApplicationPolicy{})
	f.check(f.store.AddUnconfirmed(f.Context(), w, mail))
	f.wantKind(f.store.AddUnconfirmed(f.Context(), w, mail), fault.Conflict, "the same secret")
	for institution, want := range map[uint32]int{w.Institution: 1, w.Institution + 1: 0} {
		if found, err := f.store.UnconfirmedOf(f.Context(), institution, strings.ToUpper(w.Email)); err != nil || len(found) != want || want == 1 && found[0].Hash != w.Hash {
			f.Errorf("institution %d has %+v of the address, %v", institution, found, err)
		}
	}
	f.wantReferenced(true, s.Evidence.SHA256)
	f.finds(store.Filter{Institution: f.a})
	mails, err := f.store.ListMails(f.Context(), store.MailFilter{Institution: f.a}, 10)
	if f.check(err); len(mails) != 1 || mails[0].Kind != vault.MailConfirm {
		f.Errorf("mails %+v", mails)
	}
	found, err := f.store.Unconfirmed(f.Context(), w.Hash, f.now)
	f.check(err)
	f.wantSame(found, w, "the waiting application")
	_, err = f.store.Unconfirmed(f.Context(), w.Hash, f.now.Add(vault.ConfirmationTTL))
	f.wantKind(err, fault.NotFound, "one that is too old")
	_, err = f.store.Unconfirmed(f.Context(), "unheard of", f.now)
	f.wantKind(err, fault.NotFound, "one that is not there")

	late := f.application(f.a, s)
	_, err = f.store.Submit(f.Context(), late, w.Hash, f.now.Add(vault.ConfirmationTTL))
	f.wantKind(err, fault.NotFound, "confirming too late")
	c, err := f.store.Submit(f.Context(), f.application(f.a, s), w.Hash, f.now)
	f.check(err)
	f.finds(store.Filter{Institution: f.a, Open: true}, c)
	_, err = f.store.Submit(f.Context(), f.application(f.a, s), w.Hash, f.now)
	f.wantKind(err, fault.NotFound, "confirming twice")
	f.wantReferenced(true, s.Evidence.SHA256)

	// One that is never confirmed goes, with its evidence.
	never := f.submission("grace@example.com", "Diploma")
	w, _, err = vault.NewUnconfirmedApplication(f.random, f.a, never.ApplicationDraft, f.tick())
	f.check(err)
	f.check(f.store.AddUnconfirmed(f.Context(), w, w.ConfirmationMail("link", vault.ApplicationPolicy{})))
	_, err = f.store.DeleteExpired(f.Context(), f.now.Add(vault.ConfirmationTTL-time.Second))
	f.check(err)
	f.wantReferenced(true, never.Evidence.SHA256)
	_, err = f.store.DeleteExpired(f.Context(), f.now.Add(vault.ConfirmationTTL))
	f.check(err)
	f.wantReferenced(false, never.Evidence.SHA256)
	f.wantReferenced(true, s.Evidence.SHA256)
}

func unconfirmedIsBounded(f *fixture) {
	add := func(email string, size int64) error {
		s := f.submission(email, "Diploma")
		s.Evidence.Size = size
		w, _, err := vault.NewUnconfirmedApplication(f.random, f.a, s.ApplicationDraft, f.tick())
		f.check(err)
		return f.store.AddUnconfirmed(f.Context(), w, w.ConfirmationMail("link", vault.ApplicationPolicy{}))
	}
	for range vault.MaxUnconfirmedPerAddress {
		f.check(add("ada@example.com", 1))
	}
	f.wantKind(add("ADA@example.com", 1), fault.Illegal, "one more of an address")
	f.check(add("grace@example.com", 1))
	f.wantKind(add("grace@example.com", vault.MaxUnconfirmedBytes), fault.Unavailable, "more bytes than may wait")

	for i := range vault.MaxOpenApplications {
		f.submit(f.a, f.submission("open@example.com", fmt.Sprint("Diploma ", i)))
	}
	_, err := f.store.Submit(f.Context(), f.application(f.a, f.submission("Open@example.com", "One more")), "", f.now)
	f.wantKind(err, fault.Unavailable, "one open application too many")
	f.submit(f.b, f.submission("open@example.com", "One more"))
	f.submit(f.a, f.submission("pen@example.com", "One more"))
	open := f.list(store.Filter{Institution: f.a, Email: "open@example.com", Open: true}, 1, 10).Certificates
	f.change(open[2], reject(f.tick()))
	f.submit(f.a, f.submission("open@example.com", "One more"))
}

// twoDecideAtOnce lets many decide about the same applications in one moment.
func twoDecideAtOnce(f *fixture) {
	const applications, deciders = 8, 8
	var all []vault.Certificate
	for i := range applications {
		all = append(all, f.submit(f.a, f.submission(fmt.Sprintf("p%d@example.com", i), "Diploma")))
	}
	at := f.tick()
	var mu sync.Mutex
	decided := map[string]int{}
	var group sync.WaitGroup
	for n := range deciders {
		change := []store.Change{approveApplication(at, "2026-05-10"), reject(at)}[n%2]
		group.Go(func() {
			for _, c := range all {
				_, err := f.store.Change(f.Context(), f.a, c.UUID, change)
				mu.Lock()
				if err == nil {
					decided[c.UUID]++
				} else if !fault.Is(err, fault.Illegal) {
					f.Errorf("deciding: %v", err)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	for _, c := range all {
		now := f.read(c)
		events := f.events(c)
		if decided[c.UUID] != 1 || now.Open() || len(events) != 2 {
			f.Errorf("%s was decided %d times, is %s, and has %d events", c.UUID, decided[c.UUID], now.Status, len(events))
		}
	}
	counts := f.counts(f.a)
	if counts.Processing+counts.Rejected != applications || counts.Sum() != applications {
		f.Errorf("counts %+v", counts)
	}
	if got := f.queues()[vault.JobSign].Waiting; got != counts.Processing {
		f.Errorf("%d jobs for %d that were approved", got, counts.Processing)
	}
}

func droppedEvidence(f *fixture) {
	s := f.submission("ada@example.com", "Diploma")
	rejected := f.submit(f.a, s)
	drop := func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.DropEvidence(f.now) }
	_, err := f.store.Change(f.Context(), f.a, rejected.UUID, drop)
	f.wantKind(err, fault.Illegal, "dropping evidence before the decision")
	f.change(rejected, reject(f.tick()))
	f.wantReferenced(true, s.Evidence.SHA256)
	c := f.change(rejected, drop)
	if c.Application.Evidence != nil || !c.Application.EvidenceGone.Equal(f.now) || c.Email != s.Email || c.Application.Decision == nil {
		f.Errorf("left %+v", c.Application)
	}
	f.wantReferenced(false, s.Evidence.SHA256)
	_, err = f.store.Change(f.Context(), f.a, rejected.UUID, drop)
	f.wantKind(err, fault.Illegal, "dropping it twice")

	// What somebody else submitted stays, too.
	shared := f.submission("ben@example.com", "Diploma")
	same := f.submission("cay@example.com", "Diploma")
	same.Evidence.SHA256 = shared.Evidence.SHA256
	first := f.submit(f.a, shared)
	f.submit(f.a, same)
	f.change(first, reject(f.tick()))
	f.change(first, drop)
	f.wantReferenced(true, shared.Evidence.SHA256)
}

func erasingForgetsApplications(f *fixture) {
	s, decided := f.submission("ada@example.com", "Diploma"), f.submission("ada@example.com", "Course")
	open, rejected := f.submit(f.a, s), f.submit(f.a, decided)
	f.change(rejected, reject(f.tick()))
	waits := f.submission("Ada@example.com", "Letter")
	w, _, err := vault.NewUnconfirmedApplication(f.random, f.a, waits.ApplicationDraft, f.tick())
	f.check(err)
	f.check(f.store.AddUnconfirmed(f.Context(), w, w.ConfirmationMail("link", vault.ApplicationPolicy{})))
	foreign := f.submission("grace@example.com", "Letter")
	f.submit(f.a, foreign)

	done, err := f.store.Erase(f.Context(), f.a, "ada@example.com", nil, f.tick())
	f.check(err)
	if len(done.Certificates) != 2 || len(done.Unconfirmed) != 1 || done.Unconfirmed[0].Hash != w.Hash {
		f.Errorf("erased %+v", done)
	}
	f.wantReferenced(false, s.Evidence.SHA256, decided.Evidence.SHA256, waits.Evidence.SHA256)
	f.wantReferenced(true, foreign.Evidence.SHA256)
	for _, c := range []vault.Certificate{open, rejected} {
		now := f.read(c)
		if now.Email != "" || now.Application.Evidence != nil || now.Status != vault.Rejected || now.ErasedAt == nil {
			f.Errorf("left %+v", now)
		}
		if slices.ContainsFunc(f.events(c), func(e vault.Event) bool { return e.Email != "" }) {
			f.Errorf("events of %s know the address", c.Reference)
		}
	}
	f.finds(store.Filter{Institution: f.a, Email: "ada@example.com"})
	f.submit(f.a, s) // the erased one keeps nobody away
}

// submitOne hands an application in on the random walk.
func (w *walker) submitOne() {
	d := w.randomDraft()
	s := w.submission(d.Email, d.Title)
	s.Name, s.Day = d.Name, d.IssueDate
	row := w.application(pick(w, w.a, w.a, w.b), s)
	want, kind := w.model.submit(row)
	got, err := w.store.Submit(w.Context(), row, "", w.now)
	if want == nil {
		w.wantKind(err, kind, "an application that is refused")
		return
	}
	w.check(err)
	w.wantSame(got, *want, "submitted")
}

// submit returns nil and the kind of the refusal where an application is refused.
func (m *model) submit(row store.NewCertificate) (*vault.Certificate, fault.Kind) {
	c := row.Certificate
	if m.holder(c.Institution, c.Key()) != nil {
		return nil, fault.Illegal
	}
	open := m.counts(func(o vault.Certificate) bool {
		return o.Open() && o.Institution == c.Institution && vault.FoldEmail(o.Email) == vault.FoldEmail(c.Email)
	})
	if open.Sum() >= vault.MaxOpenApplications {
		return nil, fault.Unavailable
	}
	c.ID = uint64(len(m.certificates) + 1)
	m.certificates = append(m.certificates, c)
	m.effects(c, row.Effects)
	return &c, 0
}
