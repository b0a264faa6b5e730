package agent

import (
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/vault"
)

// What was handed in with a rejected application goes when its time has come; all else stays.
func TestEvidenceOfRejectedApplicationsGoes(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	now := time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
	set := config.Default()
	set.Retention.Evidence = 30 * day
	a, err := Open(t.Context(), Options{
		Home: home.Dir(t.TempDir()), Config: &set, Institution: vault.Institution{Name: "University", TimeZone: "UTC"},
		Now: func() time.Time { return now }, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	submit := func(title string) vault.Certificate {
		evidence := &vault.File{Name: "scan.pdf", Format: "pdf", Size: 9, SHA256: vault.HashSecret(title)}
		c, err := a.Applications.SubmitFor(t.Context(), a.Institution(), "staff", vault.ApplicationDraft{Content: vault.Content{Title: title, Name: "Ada", Email: "ada@example.org"}, Evidence: evidence})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	reject := func(c vault.Certificate) {
		if _, err := a.Applications.Reject(t.Context(), c.Institution, c.UUID, "staff", "not known"); err != nil {
			t.Fatal(err)
		}
	}
	waits, early, late := submit("Diploma"), submit("Course"), submit("Letter")
	reject(early)
	now = now.Add(29 * day)
	reject(late)
	has := func(c vault.Certificate) bool {
		c, err := a.store.Certificate(t.Context(), c.Institution, c.UUID)
		if err != nil {
			t.Fatal(err)
		}
		return c.Application.Evidence != nil
	}
	a.cleaner.CleanDue(t.Context())
	if !has(early) {
		t.Error("it goes before its time")
	}
	now = now.Add(day + time.Minute)
	a.cleaner.CleanDue(t.Context())
	if has(early) || !has(late) || !has(waits) {
		t.Errorf("kept: the early one's %v, the late one's %v, of the one that waits %v", has(early), has(late), has(waits))
	}
	if needed, err := a.store.BlobReferenced(t.Context(), vault.HashSecret("Course")); err != nil || needed {
		t.Errorf("its file is still needed: %v", err)
	}
}
