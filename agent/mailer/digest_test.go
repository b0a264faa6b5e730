package mailer_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// site is a store with two institutions, and who tells their staff.
type site struct {
	*testing.T
	store  *bolt.Store
	digest *mailer.Digest
	random *rand.ChaCha8
	now    time.Time
	log    strings.Builder
	woken  int
}

func newSite(t *testing.T, to ...string) *site {
	t.Helper()
	s := &site{T: t, random: rand.NewChaCha8([32]byte{7}), now: time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)}
	var err error
	s.store, err = bolt.Open(filepath.Join(t.TempDir(), "vault.db"), time.Second)
	s.check(err)
	t.Cleanup(func() { s.check(s.store.Close()) })
	for _, name := range []string{"University", "College"} {
		_, err := s.store.AddInstitution(t.Context(), vault.Institution{Name: name, TimeZone: "UTC"})
		s.check(err)
	}
	rows, err := s.store.Rows(mailer.DigestTable)
	s.check(err)
	s.digest = &mailer.Digest{Store: s.store, Rows: rows, Institutions: institutions.Fixed{All: []vault.Institution{{ID: 1}, {ID: 2}}}, To: to, Every: 24 * time.Hour,
		Mails: s, Now: func() time.Time { return s.now }, Log: slog.New(slog.NewTextHandler(io.Writer(&s.log), nil))}
	return s
}

// Wake implements wake.Waker.
func (s *site) Wake() { s.woken++ }

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// apply hands an application in.
func (s *site) apply(institution uint32, name string) vault.Certificate {
	s.Helper()
	id, err := vault.NewIdentity(s.random, s.now, 2026)
	s.check(err)
	c, fx := vault.Submit(vault.Submission{Proof: vault.ProvenByMail, Day: "2026-05-02",
		ApplicationDraft: vault.ApplicationDraft{Content: vault.Content{Title: "Diploma", Name: name, Email: name + "@example.org"}}}, institution, id, s.now)
	c, err = s.store.Submit(s.Context(), store.NewCertificate{Certificate: c, Effects: fx}, "", s.now)
	s.check(err)
	return c
}

// lastDigest are the mails to staff that there are, the oldest first.
func (s *site) told(institution uint32) (found []vault.Mail) {
	s.Helper()
	all, err := s.store.ListMails(s.Context(), store.MailFilter{Institution: institution}, 1000)
	s.check(err)
	for _, m := range slices.Backward(all) {
		if m.Kind == vault.MailDigest {
			found = append(found, m)
		}
	}
	return found
}

func (s *site) look(after time.Duration) {
	s.Helper()
	s.now = s.now.Add(after)
	s.digest.SendDue(s.Context())
	if s.log.Len() > 0 {
		s.Fatal(s.log.String())
	}
}

func TestWhatCameIsGathered(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dean@example.edu", "office@example.edu")
	s.look(0)
	if n := len(s.told(1)); n != 0 {
		t.Fatalf("%d mails about nothing", n)
	}
	first, second := s.apply(1, "ada"), s.apply(1, "ben")
	s.look(time.Minute)
	mails := s.told(1)
	if len(mails) != 2 || mails[0].To != "dean@example.edu" || mails[1].To != "office@example.edu" || s.woken != 1 || len(s.told(2)) != 0 {
		t.Fatalf("mails %+v, woken %d times", mails, s.woken)
	}
	if m := mails[0]; m.Count != 2 || m.Text != second.Reference+", since 2026-05-02 09:00 UTC\n"+first.Reference+", since 2026-05-02 09:00 UTC" {
		t.Errorf("it says %d: %s", m.Count, m.Text)
	}
	// Nothing new is no news, and what is new waits for the next mail.
	s.look(48 * time.Hour)
	s.apply(1, "cay")
	s.look(time.Minute)
	if n := len(s.told(1)); n != 4 {
		t.Fatalf("%d mails, want 4", n)
	}
	s.apply(1, "dan")
	s.look(23 * time.Hour)
	if n := len(s.told(1)); n != 4 {
		t.Fatalf("%d mails within the day, want 4", n)
	}
	s.look(time.Hour)
	if mails := s.told(1); len(mails) != 6 || mails[5].Count != 4 {
		t.Fatalf("after the day: %+v", mails)
	}
	// The other institution's are its own matter.
	s.apply(2, "eve")
	s.look(0)
	if n, other := len(s.told(1)), len(s.told(2)); n != 6 || other != 2 {
		t.Errorf("%d and %d mails", n, other)
	}
}

func TestManyAreNotAllNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dean@example.edu")
	for i := range 25 {
		s.apply(1, string(rune('a'+i)))
	}
	s.look(0)
	m := s.told(1)[0]
	if lines := strings.Split(m.Text, "\n"); m.Count != 25 || len(lines) != vault.MaxDigestLines+1 || lines[vault.MaxDigestLines] != "and 5 more" {
		t.Errorf("it says %d: %s", m.Count, m.Text)
	}
}

// A clock that was set back by years does not keep it silent.
func TestAClockThatWasSetBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dean@example.edu")
	s.apply(1, "ada")
	s.look(0)
	s.now = s.now.AddDate(-2, 0, 0)
	s.apply(1, "ben")
	s.look(0)
	if n := len(s.told(1)); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
}

func TestNobodyIsToldWhereNobodyIsNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.apply(1, "ada")
	s.look(0)
	if n := len(s.told(1)); n != 0 {
		t.Errorf("%d mails", n)
	}
}

func TestAStoreThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, "dean@example.edu")
	s.apply(1, "ada")
	rows := s.digest.Rows
	s.digest.Rows = failingStore{rows}
	s.digest.SendDue(t.Context())
	if !strings.Contains(s.log.String(), "could not be told") {
		t.Errorf("logged %q", s.log.String())
	}
	s.log.Reset()
	s.digest.Rows = rows
	s.look(time.Minute)
	if n := len(s.told(1)); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
}

type failingStore struct{ store.Rows }

func (failingStore) View(_ context.Context, _ func(store.RowReader) error) error {
	return errors.New("broken")
}
