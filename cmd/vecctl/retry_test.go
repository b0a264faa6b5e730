package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
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
	_, err = a.Admin.Bulk(s.t.Context(), adminclient.BulkRequest{Name: manifest, Manifest: body, Files: s.docs, Out: s.out, NoWait: true},
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

// TestRetryElsewhere retries what failed on a vault that has no call for many, does not
// know the filter of batches, and has one certificate that somebody else retried.
func TestRetryElsewhere(t *testing.T) {
	t.Parallel()
	batches := map[string]string{"u5": `"mine"`, "u4": `"other"`, "u3": `null`, "u2": `"mine"`, "u1": `"mine"`}
	var retried []string
	mux := http.NewServeMux()
	mux.HandleFunc("GET /vault/business/certificate-vault", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("status") != "failed" {
			t.Errorf("listed: %s", r.URL)
		}
		page, names := 1, []string{"u5", "u4", "u3"}
		if r.FormValue("page") == "2" {
			page, names = 2, []string{"u2", "u1"}
		}
		for i, name := range names {
			names[i] = fmt.Sprintf(`{"id": %s, "uuid": %q, "batch_id": %s, "status": {"value": "failed"}}`, name[1:], name, batches[name])
		}
		fmt.Fprintf(w, `{"data": [%s], "meta": {"current_page": %d, "last_page": 2, "total": 5}}`, strings.Join(names, ","), page)
	})
	mux.HandleFunc("POST /vault/business/certificate-vault/{name}/retry", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		if name == "u2" {
			http.Error(w, `{"message": "Only failed certificates can be retried."}`, http.StatusBadRequest)
			return
		}
		retried = append(retried, name)
		fmt.Fprintf(w, `{"message": "Certificate retry initiated successfully", "data": {"uuid": %q}}`, name)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s := newSite(t)
	at := []string{"--api", server.URL + "/vault", "--token", "x"}
	s.done(append([]string{"retry", "--batch", "mine"}, at...)...).says(t, "2 certificates are processed again")
	s.done(append([]string{"retry", "--all-failed", "--json"}, at...)...).says(t, `"retried": 4`)
	if got := strings.Join(retried, " "); got != "u5 u1 u5 u4 u3 u1" {
		t.Errorf("retried: %s", got)
	}
}
