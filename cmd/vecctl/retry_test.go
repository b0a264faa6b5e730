package main

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault"
)

// accepted makes a home in which a batch is accepted and nothing is processed.
func (s *site) accepted(manifest string) {
	s.t.Helper()
	a, err := agent.Open(s.t.Context(), agent.Options{
		Home: home.Dir(s.home), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	must(s.t, err)
	body, err := os.ReadFile(manifest)
	must(s.t, err)
	_, err = a.Bulk(s.t.Context(), staff.BulkRequest{Name: manifest, Manifest: body, Files: s.docs, Out: s.out, NoWait: true},
		func(client.Progress) {})
	must(s.t, err)
	must(s.t, a.Close())
}

// TestRetry loses the stored documents of accepted certificates, which makes
// them fail, puts them back, and retries.
func TestRetry(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	manifest := s.batch(3)
	s.accepted(manifest)
	blobs := home.Dir(s.home).Blobs()
	stored, err := filepath.Glob(filepath.Join(blobs, "??", "*"))
	must(t, err)
	for _, path := range stored {
		must(t, os.Rename(path, filepath.Join(s.dir, filepath.Base(path))))
	}
	r := s.want(1, "bulk", manifest, "--out", s.out)
	r.says(t, "3 rows: 0 issued, 0 unchanged, 3 failed.", "row 1, file f00001.pdf: a stored document is missing", "vecctl retry VEC-IC-")
	report := s.bulk(1, manifest)
	if row := report.Rows[2]; report.Failed != 3 || row.Status != client.RowFailed || !strings.Contains(row.Error, "missing") {
		t.Fatalf("%+v", report)
	}
	name := report.Rows[0].ReferenceID
	s.done("view", name).says(t, "failed", "a stored document is missing")
	s.want(1, "download", name).says(t, "Verified PDF not found")
	s.done("list", "--status", "failed", "-o", "csv").says(t, name)

	// The cause is mended; one is retried by name, the others with their batch.
	for _, path := range stored {
		must(t, os.Rename(filepath.Join(s.dir, filepath.Base(path)), path))
	}
	s.done("retry", strings.ToLower(name)).says(t, name)
	s.want(1, "retry", name, "nosuch").says(t, "nosuch: Certificate not found.")
	s.want(1, "retry", "--batch", "nosuch")
	r = s.done("retry", "--batch", report.BatchID, "--json")
	var retried struct{ Retried int }
	must(t, json.Unmarshal([]byte(r.stdout), &retried))
	if retried.Retried != 2 {
		t.Errorf("%d retried, want 2", retried.Retried)
	}
	wantWhole(s, s.bulk(0, manifest), 3)
	s.done("retry", "--all-failed").says(t, "0 certificates")
	s.want(1, "retry", name).says(t, "is approved; only one that is failed can be retried")
}
