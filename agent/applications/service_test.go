package applications

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

var now = time.Date(2026, 5, 2, 23, 30, 0, 0, time.UTC)

// book is a store with one application, whose answers a test sets.
type book struct {
	one       vault.Certificate
	waiting   error // of AddWaiting
	conflicts int   // how often an identity is taken
	drawn     []string
	kept      []vault.UnconfirmedApplication
	mails     []vault.Mail
	changed   int
}

func (b *book) AddUnconfirmed(_ context.Context, w vault.UnconfirmedApplication, m vault.Mail) error {
	b.kept, b.mails = append(b.kept, w), append(b.mails, m)
	return b.waiting
}

func (b *book) Unconfirmed(context.Context, string, time.Time) (vault.UnconfirmedApplication, error) {
	return b.kept[0], nil
}

func (b *book) Submit(_ context.Context, a store.NewCertificate, _ string, _ time.Time) (vault.Certificate, error) {
	b.drawn = append(b.drawn, a.Certificate.UUID)
	if len(b.drawn) <= b.conflicts {
		return a.Certificate, fault.New(fault.Conflict, "taken")
	}
	return a.Certificate, nil
}

func (b *book) Certificate(context.Context, uint32, string) (vault.Certificate, error) {
	return b.one, nil
}

func (b *book) List(context.Context, store.Filter, int, int) (store.Page, error) {
	return store.Page{Certificates: []vault.Certificate{b.one}, Total: 1}, nil
}

func (b *book) Change(_ context.Context, _ uint32, _ string, change store.Change) (vault.Certificate, error) {
	b.changed++
	c, _, err := change(b.one)
	return c, err
}

// files is where documents are kept; it waits while it is told to.
type files struct {
	begun, goOn chan struct{}
	err         error
}

func (f files) Keep(ctx context.Context, r io.Reader, name string) (vault.File, error) {
	return f.KeepPlaced(ctx, r, name, vault.Placement{})
}

func (f files) KeepPlaced(_ context.Context, r io.Reader, name string, _ vault.Placement) (vault.File, error) {
	if f.begun != nil {
		f.begun <- struct{}{}
		<-f.goOn
	}
	body, err := io.ReadAll(r)
	return vault.File{Name: name, Format: "pdf", Size: int64(len(body)), SHA256: vault.HashSecret(string(body))}, errors.Join(err, f.err)
}

func (files) Accepting() error { return nil }

func (files) Open(_ context.Context, sum string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(sum)), nil
}

func (files) RenderTemplate(_ context.Context, _ vault.Institution, template, person string, values map[string]string) (vault.File, vault.Placement, error) {
	if values["grade"] == "" {
		return vault.File{}, vault.Placement{}, fault.New(fault.Invalid, "grade is missing")
	}
	return vault.File{Name: person + ".pdf", Format: "pdf", SHA256: vault.HashSecret(template + values["issue_date"] + values["institution"])},
		vault.Placement{At: "top-left"}, nil
}

func desk(b *book, f files) *Service { return deskOf(institution(vault.AnyoneMayApply), b, f) }

// deskOf is one of an institution.
func deskOf(of vault.Institution, b *book, f files) *Service {
	return New(Options{
		Store: b, Documents: f, Institutions: institutions.Fixed{All: []vault.Institution{of}, Base: "https://vault.example/base/"},
		Mails: wake.All{}, Work: wake.All{}, Now: func() time.Time { return now }, Random: rand.NewChaCha8([32]byte{3}), Log: slog.New(slog.DiscardHandler),
	})
}

func institution(who vault.WhoMayApply) vault.Institution {
	return vault.Institution{ID: 7, Name: "College", TimeZone: "Europe/Warsaw", Policy: &vault.ApplicationPolicy{Who: who, Titles: []string{"Diploma"}, FreeTitle: true}}
}

func draft() vault.ApplicationDraft {
	return vault.ApplicationDraft{Content: vault.Content{Title: " Diploma ", Name: "Ada", Email: "ada@example.org"}, Evidence: &vault.File{Name: "scan.pdf", SHA256: "ab"}}
}

func open(t *testing.T) vault.Certificate {
	t.Helper()
	c, err := desk(&book{}, files{}).SubmitFor(t.Context(), institution(vault.NobodyMayApply), "staff", draft())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIdentitiesAreDrawnAgain(t *testing.T) {
	t.Parallel()
	b := &book{conflicts: 2}
	c, err := desk(b, files{}).SubmitFor(t.Context(), institution(vault.NobodyMayApply), "staff (ann)", draft())
	if err != nil || len(b.drawn) != 3 || b.drawn[0] == b.drawn[1] || c.Title != "Diploma" || c.IssueDate != "2026-05-03" ||
		c.Application.By != "staff (ann)" {
		t.Errorf("%+v after %v: %v", c, b.drawn, err)
	}
	b = &book{conflicts: 3}
	if _, err := desk(b, files{}).SubmitFor(t.Context(), institution(vault.NobodyMayApply), "staff", draft()); !fault.Is(err, fault.Conflict) {
		t.Errorf("drawn for ever: %v", err)
	}
}

func TestMailsSayWhatTheyMay(t *testing.T) {
	t.Parallel()
	b := &book{}
	d := desk(b, files{})
	free := draft()
	free.Title = "Win money at https://evil.example"
	for _, one := range []vault.ApplicationDraft{draft(), free} {
		if err := d.ApplyByMail(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	if b.mails[0].Text != "Diploma" || b.mails[1].Text != "" {
		t.Errorf("mails say %q and %q", b.mails[0].Text, b.mails[1].Text)
	}
	if link := b.mails[0].Link; !strings.HasPrefix(link, "https://vault.example/base/apply/confirm/") ||
		vault.HashSecret(link[strings.LastIndexByte(link, '/')+1:]) != b.kept[0].Hash {
		t.Errorf("the link is %s", link)
	}
	// Nobody learns that an address has had its links; that nothing more is taken, everybody does.
	b.waiting = fault.New(fault.Illegal, "enough")
	if err := d.ApplyByMail(t.Context(), draft()); err != nil {
		t.Errorf("the answer tells: %v", err)
	}
	b.waiting = fault.New(fault.Unavailable, "too many")
	if err := d.ApplyByMail(t.Context(), draft()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("too many wait: %v", err)
	}
}

func TestFilesOfStrangersAreTakenAFewAtATime(t *testing.T) {
	t.Parallel()
	f := files{begun: make(chan struct{}), goOn: make(chan struct{})}
	d := desk(&book{}, f)
	ended := make(chan error, maxConcurrentUploads)
	for range maxConcurrentUploads {
		go func() {
			_, err := d.TakeEvidence(context.Background(), strings.NewReader("x"), "a.pdf")
			ended <- err
		}()
		<-f.begun
	}
	if _, err := d.TakeEvidence(t.Context(), strings.NewReader("x"), "a.pdf"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("one more: %v", err)
	}
	close(f.goOn)
	for range maxConcurrentUploads {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	go func() { <-f.begun }()
	if _, err := d.TakeEvidence(t.Context(), strings.NewReader("x"), "a.pdf"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestWhatAnApplicationIsIssuedWith(t *testing.T) {
	t.Parallel()
	who := institution(vault.AnyoneMayApply)
	bare := open(t)
	bare.Application = &vault.Application{Proof: vault.ProvenByStaff}
	for name, test := range map[string]struct {
		one   vault.Certificate
		issue ApprovalInput
		files files
		kind  fault.Kind
		words string
	}{
		"nothing":                {open(t), ApprovalInput{}, files{}, fault.Invalid, "one of them"},
		"two things":             {open(t), ApprovalInput{Evidence: true, Template: "t"}, files{}, fault.Invalid, "one of them"},
		"evidence there is none": {bare, ApprovalInput{Evidence: true}, files{}, fault.Illegal, "has no file that could be issued"},
		"a file that is none":    {open(t), ApprovalInput{Document: strings.NewReader("x"), Name: "d.pdf"}, files{err: fault.New(fault.Invalid, "no PDF")}, fault.Invalid, "file d.pdf: no PDF"},
		"a template that lacks":  {open(t), ApprovalInput{Template: "t"}, files{}, fault.Invalid, "template t: grade is missing"},
		"a date that is none":    {open(t), ApprovalInput{Evidence: true, IssueDate: "tomorrow"}, files{}, fault.Invalid, "YYYY-MM-DD"},
		"one that was issued":    {vault.Certificate{Source: vault.FromVault}, ApprovalInput{Evidence: true}, files{}, fault.Illegal, "not an application"},
	} {
		b := &book{one: test.one}
		if _, err := desk(b, test.files).Approve(t.Context(), who, "x", "staff", test.issue); !fault.Is(err, test.kind) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := &book{one: open(t)}
	c, err := desk(b, files{}).Approve(t.Context(), who, "x", "staff", ApprovalInput{Template: "t", Fields: map[string]string{"grade": "1", "full_name": "somebody else"}})
	if err != nil || c.Status != vault.Processing || c.IssueDate != "2026-05-03" || c.Placement.At != "top-left" || c.File.Name != "Ada.pdf" {
		t.Errorf("%+v: %v", c, err)
	}
}
