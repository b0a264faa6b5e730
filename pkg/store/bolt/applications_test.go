package bolt_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// TestDecisionsKeepTheSums opens a home again in which keys were moved and freed: the
// sums of the buckets that must not lose an entry are compared then.
func TestDecisionsKeepTheSums(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	now := time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
	random := rand.NewChaCha8([32]byte{1})
	s := open(t, path)
	who, err := s.AddInstitution(t.Context(), vault.Institution{Name: "A", TimeZone: "UTC"})
	must(t, err)
	acts := []store.Change{
		func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Reject("staff", "no", now)
		},
		func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.ApproveApplication(vault.Approval{IssueDate: "2026-05-09",
				File: vault.File{Name: "d.pdf", Format: "pdf", Size: 1, SHA256: fmt.Sprintf("%064x", c.ID)}}, now)
		},
		func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.TakeInReview("staff", now)
		},
	}
	for i := range 9 {
		id, err := vault.NewIdentity(random, now, 2026)
		must(t, err)
		c, fx := vault.Submit(vault.Submission{Day: "2026-05-02", ApplicationDraft: vault.ApplicationDraft{
			Content: vault.Content{Title: "Diploma", Name: "Ada", Email: fmt.Sprintf("p%d@example.com", i)}}}, who.ID, id, now)
		_, err = s.Submit(t.Context(), store.NewCertificate{Certificate: c, Effects: fx}, "", now)
		must(t, err)
		_, err = s.Change(t.Context(), who.ID, c.UUID, acts[i%len(acts)])
		must(t, err)
	}
	_, err = s.Erase(t.Context(), who.ID, "p0@example.com", nil, now)
	must(t, err)
	_, err = s.Erase(t.Context(), who.ID, "p2@example.com", nil, now)
	must(t, err)
	must(t, s.Close())
	s = open(t, path)
	defer s.Close()
	counts, err := s.Counts(t.Context(), who.ID)
	must(t, err)
	if counts != (vault.Counts{Processing: 3, InReview: 2, Rejected: 4}) {
		t.Errorf("counts %+v", counts)
	}
}

// TestHomesWithoutApplicationsOpen opens a home of a program that knew none.
func TestHomesWithoutApplicationsOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "vault.db")
	now := time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
	s := open(t, path)
	who, err := s.AddInstitution(t.Context(), vault.Institution{Name: "A", TimeZone: "UTC"})
	must(t, err)
	id, err := vault.NewIdentity(rand.NewChaCha8([32]byte{1}), now, 2026)
	must(t, err)
	c, fx := vault.Accept(vault.Draft{Content: vault.Content{Title: "Diploma", Name: "Ada", Email: "ada@example.com", IssueDate: "2026-05-02"}}, who.ID, id, now)
	_, err = s.Insert(t.Context(), []store.NewCertificate{{Certificate: c, Effects: fx}})
	must(t, err)
	must(t, s.Close())
	db, err := bbolt.Open(path, 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{"by_source", "applications", "application_blobs", "open_by_email"} {
			if err := tx.DeleteBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, db.Close())
	s = open(t, path)
	defer s.Close()
	for source, want := range map[vault.Source]int{"": 1, vault.FromVault: 1, vault.FromCustomer: 0} {
		page, err := s.List(t.Context(), store.Filter{Institution: who.ID, Source: source}, 1, 10)
		if must(t, err); page.Total != want {
			t.Errorf("%d of source %q, want %d", page.Total, source, want)
		}
	}
}
