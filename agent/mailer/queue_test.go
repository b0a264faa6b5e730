package mailer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/mail"
	"github.com/vecctl/vecctl/pkg/mail/mailtest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// office is a store with an institution, and a clock that tests turn.
type office struct {
	*testing.T
	store  *bolt.Store
	random *rand.ChaCha8
	drawn  int

	mu       sync.Mutex
	now      time.Time
	troubles []error
}

func newOffice(t *testing.T) *office {
	t.Helper()
	s, err := bolt.Open(filepath.Join(t.TempDir(), "vault.db"), time.Second)
	o := &office{T: t, store: s, random: rand.NewChaCha8([32]byte{1}), now: time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)}
	o.check(err)
	t.Cleanup(func() { o.check(s.Close()) })
	_, err = s.AddInstitution(t.Context(), vault.Institution{Name: "University", TimeZone: "UTC", Sender: "office@university.example"})
	o.check(err)
	return o
}

func (o *office) check(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

// issue approves a certificate for each address, edited, which queues the mails.
func (o *office) issue(edit func(*vault.Certificate), to ...string) {
	o.Helper()
	rows := make([]store.NewCertificate, len(to))
	for i, address := range to {
		o.drawn++
		id, err := vault.NewIdentity(o.random, o.clock(), 2026)
		o.check(err)
		c, fx := vault.Accept(vault.Draft{Content: vault.Content{Title: "Diploma", Name: "Zoë", Email: address, IssueDate: "2026-06-01"},
			File: vault.File{Name: "d.pdf", Format: "pdf", SHA256: fmt.Sprintf("%064x", o.drawn)}}, 1, id, o.clock())
		edit(&c)
		rows[i] = store.NewCertificate{Certificate: c, Effects: fx}
	}
	done, err := o.store.Insert(o.Context(), rows)
	o.check(err)
	for _, one := range done {
		_, err := o.store.Change(o.Context(), 1, one.Certificate.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Approve(vault.Verified{Document: vault.Document{SHA256: c.File.SHA256}}, []byte("tail"), o.clock())
		})
		o.check(err)
	}
}

func asItIs(*vault.Certificate) {}

func (o *office) writer() *mailer.Composer {
	return &mailer.Composer{
		Store: o.store, Templates: mailer.NewTemplateCache(home.Dir(o.TempDir())), Now: o.clock,
		Institutions: officeInstitutions{institutions.Fixed{Base: "https://vault.example"}, o},
	}
}

// officeInstitutions finds the store's current institution, which tests change.
type officeInstitutions struct {
	institutions.Fixed
	office *office
}

func (d officeInstitutions) ByID(uint32) (vault.Institution, bool) {
	i, err := d.office.store.CurrentInstitution(d.office.Context())
	return i, err == nil
}

func (o *office) post(carrier func() mailer.Transport, edit func(*mailer.QueueOptions)) *mailer.Queue {
	options := mailer.QueueOptions{Compose: o.writer().Compose, NewTransport: carrier, Connections: 2, Now: o.clock,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), OnOutage: func(err error) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.troubles = append(o.troubles, err)
		}}
	edit(&options)
	return mailer.NewQueue(o.store, options)
}

// work runs a post until it has nothing to do at present.
func (o *office) work(p *mailer.Queue) {
	o.Helper()
	ctx, stop := context.WithCancel(o.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	p.Drain(o.Context())
	stop()
	o.check(<-ended)
}

func (o *office) mails(f store.MailFilter) []vault.Mail {
	o.Helper()
	f.Institution = 1
	all, err := o.store.ListMails(o.Context(), f, 10_000)
	o.check(err)
	return all
}

// lineTo makes carriers to a server.
func lineTo(t *testing.T, address string) func() mailer.Transport {
	t.Helper()
	s, err := mail.ParseServer("smtp://" + address)
	if err != nil {
		t.Fatal(err)
	}
	return func() mailer.Transport { return mail.NewSMTPConn(s) }
}

func plain(*mailer.QueueOptions) {}

func TestSends(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.issue(asItIs, "one@example.org", "two@example.org")
	server := (&mailtest.Fake{}).Start(t)
	o.work(o.post(lineTo(t, server.Address()), plain))
	got := server.Received()
	if len(got) != 2 {
		t.Fatalf("%d mails", len(got))
	}
	for _, m := range o.mails(store.MailFilter{}) {
		if m.State != vault.MailSent || m.Attempts != 1 || m.SentAt.IsZero() ||
			!strings.Contains(got[0].Data+got[1].Data, "Message-ID: <"+m.MessageID+">\r\n") {
			t.Errorf("mail %+v", m)
		}
	}
	if from := got[0].From; from != "office@university.example" {
		t.Errorf("from %s", from)
	}
}

func TestRefusedAndLater(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.issue(asItIs, "later@example.org", "refuse@example.org", "good@example.org")
	server := mailtest.StartReal(t, mailtest.Options{Security: "plain"})
	for range 12 {
		o.work(o.post(lineTo(t, server.Address), plain))
		o.pass(5 * time.Hour)
	}
	want := map[string]vault.Mail{
		"later@example.org":  {State: vault.MailRefused, Attempts: 12, Failure: &vault.MailFailure{Code: "451"}},
		"refuse@example.org": {State: vault.MailRefused, Attempts: 1, Failure: &vault.MailFailure{Code: "550"}},
		"good@example.org":   {State: vault.MailSent, Attempts: 1},
	}
	for _, m := range o.mails(store.MailFilter{}) {
		w := want[m.To]
		if m.State != w.State || m.Attempts != w.Attempts || (w.Failure != nil && (m.Failure == nil || m.Failure.Code != w.Failure.Code)) {
			t.Errorf("%+v, trouble %+v", m, m.Failure)
		}
		c, err := o.store.ByID(t.Context(), m.Certificate)
		o.check(err)
		if (c[0].Undelivered != nil) != (m.State == vault.MailRefused) {
			t.Errorf("the certificate of %s says %+v", m.To, c[0].Undelivered)
		}
	}
	if n := len(server.Mails(t)); n != 1 {
		t.Errorf("%d mails arrived", n)
	}
}

func TestServerComesBack(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.issue(asItIs, "one@example.org", "two@example.org", "three@example.org")
	var up atomic.Bool
	server := (&mailtest.Fake{Answer: func(command, _ string) string {
		if !up.Load() && command == "MAIL" {
			return "450 4.7.0 too busy"
		}
		return ""
	}}).Start(t)
	p := o.post(lineTo(t, server.Address()), plain)
	for range 20 {
		o.work(p)
		o.pass(10 * time.Minute)
	}
	for _, m := range o.mails(store.MailFilter{}) {
		if m.State != vault.MailWaiting || m.Attempts != 0 {
			t.Errorf("while the server is down: %+v", m)
		}
	}
	if len(o.troubles) == 0 || o.troubles[0] == nil {
		t.Errorf("nobody was told: %v", o.troubles)
	}
	up.Store(true)
	o.work(p)
	if n := len(server.Received()); n != 3 {
		t.Errorf("%d mails when it is back", n)
	}
	if last := o.troubles[len(o.troubles)-1]; last != nil {
		t.Errorf("nobody was told that mails go out again: %v", last)
	}
}

// TestLostAnswer drops the connection after the server took the mail: nobody can
// know, so it goes out again, as the same mail.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.issue(asItIs, "one@example.org")
	var times atomic.Int64
	server := (&mailtest.Fake{Answer: func(command, _ string) string {
		if command == "." {
			if times.Add(1) == 1 {
				return "drop"
			}
		}
		return ""
	}}).Start(t)
	o.work(o.post(lineTo(t, server.Address()), plain))
	o.pass(2 * time.Minute)
	o.work(o.post(lineTo(t, server.Address()), plain))
	got := server.Received()
	if len(got) != 2 || header(got[0].Data, "Message-ID") != header(got[1].Data, "Message-ID") {
		t.Errorf("got %+v", got)
	}
}

func header(data, name string) string {
	for line := range strings.SplitSeq(data, "\r\n") {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return value
		}
	}
	return ""
}

func TestMootAndHeld(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.issue(asItIs, "revoked@example.org")
	all := o.mails(store.MailFilter{})
	c, err := o.store.ByID(t.Context(), all[0].Certificate)
	o.check(err)
	_, err = o.store.Change(t.Context(), 1, c[0].UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Revoke("in error", o.clock())
	})
	o.check(err)
	o.check(o.store.QueueMail(t.Context(), vault.NewSignInMail(1, "me@example.org", "https://vault.example/s/1", o.clock())))
	late := vault.NewSignInMail(1, "late@example.org", "https://vault.example/s/2", o.clock().Add(-time.Hour))
	o.check(o.store.QueueMail(t.Context(), late))
	server := (&mailtest.Fake{}).Start(t)
	o.work(o.post(lineTo(t, server.Address()), plain))
	got := server.Received()
	if len(got) != 1 || got[0].To != "me@example.org" || !strings.Contains(got[0].Data, "https://vault.example/s/1") {
		t.Errorf("got %+v", got)
	}
	for _, m := range o.mails(store.MailFilter{}) {
		want := vault.MailCancelled
		if m.To == "me@example.org" {
			want = vault.MailSent
		}
		if m.State != want || m.Link != "" {
			t.Errorf("%+v", m)
		}
	}
}

// broken is a carrier whose disk is full.
type broken struct{ err error }

func (b broken) Send(context.Context, mail.Message) error { return b.err }
func (broken) Close()                                     {}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.issue(asItIs, "one@example.org")
	o.work(o.post(func() mailer.Transport { return broken{errors.New("no room")} }, plain))
	if m := o.mails(store.MailFilter{})[0]; m.State != vault.MailWaiting || len(o.troubles) != 1 {
		t.Errorf("%+v, %v", m, o.troubles)
	}
	folder := t.TempDir()
	o.work(o.post(func() mailer.Transport { return mailer.NewSpool(filepath.Join(folder, "mail")) }, plain))
	files, err := filepath.Glob(filepath.Join(folder, "mail", "*"))
	o.check(err)
	if m := o.mails(store.MailFilter{})[0]; m.State != vault.MailSent || len(files) != 1 || filepath.Base(files[0]) != mailer.SpoolFile(m.ID) {
		t.Errorf("%+v, %v", m, files)
	}
}

// TestTheEndIsNoTrouble ends a post while it writes a mail: that waits for the next,
// and nobody is told that mails are held up.
func TestTheEndIsNoTrouble(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.issue(asItIs, "one@example.org")
	ctx, stop := context.WithCancel(t.Context())
	p := o.post(func() mailer.Transport { return broken{errors.New("nothing was written")} }, func(options *mailer.QueueOptions) {
		write := options.Compose
		options.Compose = func(ctx context.Context, m vault.Mail, c vault.Certificate) (mail.Message, error) {
			stop()
			return write(ctx, m, c)
		}
	})
	o.check(p.Run(ctx))
	if m := o.mails(store.MailFilter{})[0]; m.State != vault.MailWaiting || len(o.troubles) != 0 {
		t.Errorf("%+v, %v", m, o.troubles)
	}
}

// TestWhoHasAnAccount looks at which of the two mails of the guide's "Notification
// Behavior" somebody gets.
func TestWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	link, secret, err := vault.NewMagicLink(o.random, "known@example.org", o.clock())
	o.check(err)
	_ = secret
	o.check(o.store.AddMagicLink(t.Context(), link))
	account, err := vault.NewAccount(o.random, "known@example.org", o.clock())
	o.check(err)
	session, _, err := vault.NewSession(o.random, o.clock())
	o.check(err)
	_, _, err = o.store.RedeemMagicLink(t.Context(), link.Hash, account, session, o.clock())
	o.check(err)
	o.issue(asItIs, "Known@Example.org", "stranger@example.org")
	server := (&mailtest.Fake{}).Start(t)
	o.work(o.post(lineTo(t, server.Address()), func(o *mailer.QueueOptions) { o.Connections = 1 }))
	got := server.Received()
	if len(got) != 2 || !strings.Contains(got[0].Data, "added to your") || strings.Contains(got[0].Data, "need no account") ||
		!strings.Contains(got[1].Data, "need no account") || !strings.Contains(got[1].Data, "vault.example/c/") {
		t.Errorf("got %+v", got)
	}
}
