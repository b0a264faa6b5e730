package mailer_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/mailer"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// expires inserts an approved certificate with a last day.
func (s *site) expires(name string, last vault.Date) vault.Certificate {
	s.Helper()
	id, err := vault.NewIdentity(s.random, s.now, 2026)
	s.check(err)
	d := vault.Draft{Content: vault.Content{Title: "First aid", Name: name, Email: name + "@example.org", IssueDate: "2026-05-02", ExpiryDate: last},
		File: vault.File{Name: "a.pdf", Format: "pdf", SHA256: strings.Repeat("ab", 32)}}
	c, fx := vault.Accept(d, 1, id, s.now)
	made, err := s.store.Insert(s.Context(), []store.NewCertificate{{Certificate: c, Effects: fx}})
	s.check(err)
	c, err = s.store.Change(s.Context(), 1, made[0].Certificate.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Approve(vault.Verified{SHA256: id.UUID}, []byte("tail"), s.now)
	})
	s.check(err)
	return c
}

// composer has the store, an institution and the clock of the site.
func (s *site) composer() *mailer.Composer {
	return &mailer.Composer{Store: s.store, Institutions: institutions.Fixed{All: []vault.Institution{{ID: 1, TimeZone: "UTC"}}}, Now: func() time.Time { return s.now }}
}

// mailsOf lists the mails of a kind, the oldest first, each as the name of its recipient or as the
// text to staff.
func (s *site) mailsOf(kind vault.MailKind) (found []string) {
	s.Helper()
	all, err := s.store.ListMails(s.Context(), store.MailFilter{Institution: 1}, 1000)
	s.check(err)
	for _, m := range slices.Backward(all) {
		if m.Kind == kind {
			name, _, _ := strings.Cut(m.To, "@")
			found = append(found, name+m.Text)
		}
	}
	return found
}

// TestExpiryReminders goes through the days before an end: each reminder goes out once, however
// often the agent looks, the nearest stands for those of days on which no agent ran, and nobody is
// reminded of what was revoked, replaced, issued too late for it, or has no end.
func TestExpiryReminders(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := &mailer.ExpiryReminders{Composer: s.composer(), Days: []int{60, 30, 7}, Mails: s, Log: slog.New(slog.NewTextHandler(&s.log, nil))}
	ada := s.expires("ada", "2026-12-31")
	s.expires("ben", "2026-05-31") // of the days before, the 30th and the 60th lay before it was issued
	s.expires("cay", "")
	gone := s.expires("gone", "2026-12-31")
	_, err := s.store.Change(t.Context(), 1, gone.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
		return c.Revoke("in error", s.now)
	})
	s.check(err)
	var want []string
	for _, step := range []struct{ day, reminded string }{
		{"2026-05-03", ""}, {"2026-05-23", ""}, {"2026-05-24", "ben"}, {"2026-05-25", ""}, {"2026-10-31", ""},
		{"2026-12-05", "ada"}, // 60 and 30 days before, no agent ran
		{"2026-12-06", ""}, {"2026-12-24", "ada"}, {"2026-12-31", ""}, {"2027-01-01", ""},
	} {
		s.now, err = time.Parse(time.DateOnly, step.day)
		s.check(err)
		if step.reminded != "" {
			want = append(want, step.reminded)
		}
		for range 2 {
			r.SendDue(t.Context())
			if got := s.mailsOf(vault.MailExpiring); !slices.Equal(got, want) {
				t.Fatalf("on %s reminders went to %v, want %v", step.day, got, want)
			}
			if got := s.mailsOf(vault.MailExpiryList); len(got) != len(want) {
				t.Fatalf("on %s staff were told %d times, want %d", step.day, len(got), len(want))
			}
		}
	}
	staff := s.mailsOf(vault.MailExpiryList)
	if text := staff[len(staff)-1]; text != ada.Reference+", valid until 2026-12-31" {
		t.Errorf("staff are told %q", text)
	}
	if s.log.Len() > 0 {
		t.Errorf("the log says %s", s.log.String())
	}
}

// TestNobodyIsReminded looks with reminders switched off.
func TestNobodyIsReminded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.expires("ada", "2026-05-20")
	s.now = s.now.AddDate(0, 0, 10)
	r := &mailer.ExpiryReminders{Composer: s.composer(), Mails: s, Log: slog.New(slog.DiscardHandler)}
	r.SendDue(t.Context())
	if err := r.Run(t.Context()); err != nil || len(s.mailsOf(vault.MailExpiring)) > 0 {
		t.Errorf("somebody was reminded: %v", err)
	}
}
