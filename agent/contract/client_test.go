package contract

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func (s *site) client(transport http.RoundTripper) *client.Client {
	s.Helper()
	c, err := client.New(s.base, s.token, transport)
	s.check(err)
	return c
}

func document(name string) client.Document {
	body := smallPDF(name)
	return client.Document{Name: name + ".pdf", Size: int64(len(body)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }}
}

func TestClient(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.client(http.DefaultTransport)
	var told int64
	n := client.NewCertificate{Content: client.Content{Title: "Diploma", Name: "Ann", Email: "a@example.com", IssueDate: "2026-06-01", Details: "with \"honours\""}, File: document("ann")}
	issued, err := c.Upload(t.Context(), n, func(sent int64) { told = sent })
	s.check(err)
	if issued.Name != "Ann" || issued.Details != n.Details || told != n.File.Size {
		t.Errorf("issued %+v, told of %d bytes", issued, told)
	}
	_, err = c.Upload(t.Context(), n, nil)
	answered, ok := errors.AsType[*client.Error](err)
	if !ok || answered.Status != http.StatusUnprocessableEntity || answered.RequestID == "" ||
		answered.Errors["applicant_email"] == nil || !fault.Is(err, fault.Invalid) {
		t.Errorf("a duplicate: %#v", err)
	}
	file, err := c.UploadFile(t.Context(), document("bob"), "", nil)
	s.check(err)
	accepted, err := c.SubmitBulk(t.Context(), []client.BulkEntry{{Content: client.Content{Title: "Diploma", Name: "Bob", Email: "b@example.com"}, FileID: file.FileID}}, "")
	s.check(err)
	for list := range map[string]bool{"vault": true, "all": true} {
		find := c.List
		if list == "all" {
			find = c.Certificates
		}
		page, err := find(t.Context(), client.Filter{Batch: accepted.BatchID})
		s.check(err)
		if len(page.Data) != 1 || page.Data[0].Name != "Bob" {
			t.Errorf("%s: %+v", list, page)
		}
	}
	if all, err := c.Templates(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("templates %v, %v", all, err)
	}
}

// broken is a network that breaks at one call, before or after it was answered.
type broken struct {
	calls  atomic.Int64
	at     int64
	after  bool
	counts map[string]*atomic.Int64
}

var errCut = errors.New("the network is down")

func (b *broken) RoundTrip(r *http.Request) (*http.Response, error) {
	n := b.calls.Add(1)
	down := b.at > 0 && n >= b.at
	if down && (!b.after || n > b.at) {
		return nil, errCut
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && resp.StatusCode < 300 && resp.Header.Get("Idempotent-Replayed") == "" {
		if c := b.counts[r.Method+" "+r.URL.Path]; c != nil {
			c.Add(1)
		}
	}
	if down && err == nil {
		_ = resp.Body.Close()
		return nil, errCut
	}
	return resp, err
}

// TestCourierResumes breaks the network off at every call in turn, and goes on.
// Whatever was answered, every document is stored once and every certificate
// issued once.
func TestCourierResumes(t *testing.T) {
	t.Parallel()
	whole := &broken{}
	resumes(t, whole)
	var crew errgroup.Group
	crew.SetLimit(6) // they mostly wait for the disk and for one another
	for at := range whole.calls.Load() {
		for _, after := range []bool{false, true} {
			crew.Go(func() error {
				resumes(t, &broken{at: at + 1, after: after})
				return nil
			})
		}
	}
	if err := crew.Wait(); err != nil {
		t.Error(err)
	}
}

// resumes carries a batch over a network, which may break, and then over a sound one.
func resumes(t *testing.T, network *broken) {
	t.Helper()
	const rows = 7
	s := newSite(t)
	uploads, bulks := new(atomic.Int64), new(atomic.Int64)
	network.counts = map[string]*atomic.Int64{"POST " + filePath: uploads, "POST " + bulkPath: bulks}
	notes := filepath.Join(t.TempDir(), "notes.jsonl")
	if _, err := s.carry(notes, network, rows); err != nil && !errors.Is(err, errCut) {
		t.Errorf("broken off at call %d (after it: %v): %v", network.at, network.after, err)
	}
	outcomes, err := s.carry(notes, &broken{counts: network.counts}, rows)
	s.check(err)
	for i, o := range outcomes {
		if o.Certificate == nil || o.Certificate.Status.Value != "approved" {
			t.Errorf("broken off at call %d (after it: %v): row %d: %+v", network.at, network.after, i+1, o)
		}
	}
	// An upload whose answer never came back was not counted here.
	if uploads.Load() > rows || s.total() != rows {
		t.Errorf("broken off at call %d (after it: %v): %d uploads, %d certificates, want %d", network.at, network.after, uploads.Load(), s.total(), rows)
	}
}

// carry issues a batch of n certificates.
func (s *site) carry(notes string, network http.RoundTripper, n int, edit ...func([]remotebulk.Item)) ([]remotebulk.Outcome, error) {
	s.Helper()
	journal, err := remotebulk.OpenJournal(notes, "2026-06-01")
	s.check(err)
	defer journal.Close()
	rows := make([]remotebulk.Item, n)
	for i := range rows {
		name := fmt.Sprintf("p%d", i)
		sum := sha256.Sum256(smallPDF(name))
		rows[i] = remotebulk.Item{Number: i + 1, SHA256: hex.EncodeToString(sum[:]), Certificate: client.NewCertificate{
			Content: client.Content{Title: "Diploma", Name: name, Email: name + "@example.com", IssueDate: journal.Today()}, File: document(name)}}
	}
	for _, e := range edit {
		e(rows)
	}
	sleep := func(ctx context.Context, d time.Duration) error {
		time.Sleep(min(d, 10*time.Millisecond))
		return ctx.Err()
	}
	c := remotebulk.Uploader{
		Client: s.client(network).WithRetries(client.RetryPolicy{Attempts: 30, First: time.Second, Max: time.Second, Sleep: sleep}), Journal: journal, Name: "batch", PerCall: 3, Parallel: 2, Skip: true,
		Now: s.clock.now, Progress: func(client.Progress) {},
		Sleep: sleep,
	}
	outcomes, _, err := c.Run(s.Context(), rows)
	return outcomes, err
}

// TestCourierFinds issues what is missing of a batch whose notes are lost, and
// refuses what differs from what was issued.
func TestCourierFinds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.carry(filepath.Join(t.TempDir(), "first.jsonl"), http.DefaultTransport, 4, func(rows []remotebulk.Item) {
		rows[2].Certificate.ExternalID, rows[3].Certificate.ExternalID = "S-3", "S-4"
	})
	s.check(err)
	outcomes, err := s.carry(filepath.Join(t.TempDir(), "second.jsonl"), http.DefaultTransport, 6, func(rows []remotebulk.Item) {
		rows[0].Certificate.ExternalID = "S-1" // what was issued before the vault knew it
		rows[1].Certificate.Name = "Another"
		rows[2].Certificate.ExternalID, rows[3].Certificate.ExternalID = " S-3", "S-5"
		rows[5].Certificate.Email = "no address"
	})
	s.check(err)
	want := []client.RowStatus{client.RowUnchanged, client.RowRejected, client.RowUnchanged, client.RowRejected, client.RowIssued, client.RowRejected}
	for i, o := range outcomes {
		if o.Status != want[i] {
			t.Errorf("row %d is %s (%s), want %s", i+1, o.Status, o.Error, want[i])
		}
	}
	if !strings.Contains(outcomes[1].Error, "differs from what was issued") || !strings.Contains(outcomes[3].Error, `row 4, external_id: this differs`) || !strings.Contains(outcomes[5].Error, "valid email") {
		t.Errorf("errors %q, %q", outcomes[1].Error, outcomes[5].Error)
	}
	if n := s.total(); n != 5 {
		t.Errorf("%d certificates, want 5", n)
	}
}

// TestFieldsComeBack has each field of a certificate uploaded in all ways, listed, found by a
// search where it is searched, and shown by the verification page where it is public.
func TestFieldsComeBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.client(http.DefaultTransport)
	filled := func(n int) (content client.Content) {
		var said vault.Content
		for _, f := range vault.Fields() {
			text := fmt.Sprintf("%s %d of all", f.Flag, n)
			switch f.Kind {
			case vault.EmailField:
				text = fmt.Sprintf("field%d@example.org", n)
			case vault.DateField:
				text = fmt.Sprintf("2026-06-0%d", n)
			case vault.LineField, vault.LinesField:
			}
			f.Set(&said, text)
		}
		return client.NewContent(said)
	}
	one, err := c.Upload(t.Context(), client.NewCertificate{Content: filled(1), File: document("one")}, nil)
	s.check(err)
	file, err := c.UploadFile(t.Context(), document("two"), "", nil)
	s.check(err)
	_, err = c.SubmitBulk(t.Context(), []client.BulkEntry{{Content: filled(2), FileID: file.FileID}}, "")
	s.check(err)
	entry := map[string]any{"file_id": s.uploadFile()}
	for key, text := range filled(3).Vault().Values() {
		entry[key] = text
	}
	s.want(s.jsonTo(bulkPath, map[string]any{"entries": []any{entry}}), http.StatusAccepted)
	page, err := c.List(t.Context(), client.Filter{})
	s.check(err)
	for i, got := range page.Data {
		if want := filled(len(page.Data) - i); got.Content != want {
			t.Errorf("certificate %d says %+v, want %+v", i, got.Content, want)
		}
	}
	if len(page.Data) != 3 {
		t.Fatalf("%d certificates", len(page.Data))
	}
	said := filled(1).Vault()
	s.settled(one.UUID)
	answered, err := http.Get(s.base + "/v/" + one.ReferenceID)
	s.check(err)
	defer answered.Body.Close()
	shown, err := io.ReadAll(answered.Body)
	s.check(err)
	for _, f := range vault.Fields() {
		found, err := c.List(t.Context(), client.Filter{Search: f.Get(said)})
		s.check(err)
		if (found.Meta.Total == 1) != f.Searchable {
			t.Errorf("%s: a search finds %d", f.Key, found.Meta.Total)
		}
		if bytes.Contains(shown, []byte(f.Get(said))) != f.Public {
			t.Errorf("the verification page and %s:\n%s", f.Key, shown)
		}
	}
}
