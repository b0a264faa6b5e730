package batch_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/batch"
	"github.com/vecctl/vecctl/agent/dropfolder"
	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/agent/results"
	"github.com/vecctl/vecctl/agent/signing"
	"github.com/vecctl/vecctl/pkg/blob/blobtest"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// works is what issues manifests, over a real store and with real documents.
type works struct {
	*testing.T
	*batch.Issuer
	store       *bolt.Store
	institution vault.Institution
	docs, out   string
	processor   *signing.Processor
	full        error // the disk's state
}

func newWorks(t *testing.T) *works {
	t.Helper()
	dir := t.TempDir()
	w := &works{T: t, docs: filepath.Join(dir, "docs"), out: filepath.Join(dir, "out")}
	now := func() time.Time { return time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC) }
	w.ok(os.Mkdir(w.docs, 0o700))
	var err error
	w.store, err = bolt.Open(filepath.Join(dir, "vault.db"), time.Second)
	w.ok(err)
	t.Cleanup(func() { w.ok(w.store.Close()) })
	w.institution, err = w.store.AddInstitution(t.Context(), vault.Institution{Name: "Northgate", TimeZone: "UTC"})
	w.ok(err)
	blobs := blobtest.NewMemory()
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "Northgate", now(), 1)
	w.ok(err)
	signer, err := pdf.LoadSigner(key, cert)
	w.ok(err)
	seal, log := pdf.NewStamper(signer), slog.New(slog.DiscardHandler)
	news := &events.Bus{}
	logKey, err := transparency.NewKey(rand.Reader, "University")
	if err != nil {
		t.Fatal(err)
	}
	sealer := &signing.Signer{Blobs: blobs, Institutions: oneStamper{institutions.Fixed{Base: "https://example.edu"}, seal, logKey},
		Now: now, Log: log, ImageToPDF: func(io.Writer, io.ReaderAt, int64) error { return fmt.Errorf("no images here") }}
	w.processor = signing.New(w.store, sealer.Sign, signing.Options{Workers: 1, Now: now, Log: log, OnSettled: news.PublishSettled, OnError: news.PublishError})
	w.Issuer = &batch.Issuer{
		Store: w.store, Intake: &intake.Intake{Store: w.store, Blobs: blobs, Now: now, Random: rand.Reader},
		Results: &results.Exporter{Updates: w.store, Blobs: blobs}, Events: news,
		Templates: template.Dir{Path: filepath.Join(dir, "templates")}, DefaultPlacement: vault.Placement{At: "bottom-right", SizeMM: 22, MarginMM: 8},
		Institutions: institutions.Fixed{All: []vault.Institution{w.institution}, Base: "https://example.edu"},
		Home:         home.Dir(dir), Disk: w, Work: wake.All{w.processor, news}, Signing: w.processor, Now: now, Random: rand.Reader,
	}
	return w
}

// Accepting implements batch.Disk.
func (w *works) Accepting() error { return w.full }

// Check implements batch.Disk.
func (*works) Check() {}

func (w *works) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// run processes what is accepted until the test ends.
func (w *works) run() {
	ctx, stop := context.WithCancel(w.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.processor.Run(ctx) }()
	w.Cleanup(func() {
		stop()
		w.ok(<-ended)
	})
}

// rows makes a manifest, and a document for each of its people.
func (w *works) rows(people ...string) adminclient.BulkRequest {
	w.Helper()
	body, err := os.ReadFile("../../testdata/spring-2026/documents/arash-nikpour.pdf")
	w.ok(err)
	text := "certificate_title,full_name,applicant_email,issue_date,file\n"
	for _, name := range people {
		file := strings.ToLower(name) + ".pdf"
		text += fmt.Sprintf("Diploma,%s,%s@example.org,2026-05-02,%s\n", name, strings.ToLower(name), file)
		w.ok(os.WriteFile(filepath.Join(w.docs, file), append(body, "\n% "+name+"\n"...), 0o600))
	}
	return adminclient.BulkRequest{Name: "spring.csv", Manifest: []byte(text), Files: w.docs, Out: w.out}
}

// issue issues a manifest, and shows what became of its rows.
func (w *works) issue(q adminclient.BulkRequest) (string, client.BulkReport, vault.Batch) {
	w.Helper()
	report, batch, err := w.Issue(w.Context(), w.order(q))
	w.ok(err)
	var words []string
	for _, row := range report.Rows {
		words = append(words, string(row.Status))
	}
	return strings.Join(words, " "), report, batch
}

func (w *works) order(q adminclient.BulkRequest) batch.Request {
	return batch.Request{Institution: w.institution, Trigger: vault.BulkUpload, Bulk: q, Progress: func(client.Progress) {}}
}

// kept counts the institution's certificates.
func (w *works) kept() int {
	w.Helper()
	page, err := w.store.List(w.Context(), store.Filter{Institution: w.institution.ID}, 1, 1)
	w.ok(err)
	return page.Total
}

// written names the files of a folder.
func (w *works) written(dir string) []string {
	w.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		w.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestAManifestIsIssuedOnce(t *testing.T) {
	t.Parallel()
	w := newWorks(t)
	w.run()
	q := w.rows("Ann", "Bob")
	got, report, batch := w.issue(q)
	if got != "issued issued" || report.Issued != 2 || report.BatchID != batch.ID || batch.Name != "2026-05-02-spring" {
		t.Fatalf("%s: %+v, %+v", got, report, batch)
	}
	for _, row := range report.Rows {
		if !slices.Contains(w.written(w.out), row.File) || !strings.Contains(row.File, row.ReferenceID) {
			t.Errorf("%+v is not among %v", row, w.written(w.out))
		}
	}
	files := len(w.written(w.out))
	again, second, sameBatch := w.issue(q)
	if again != "unchanged unchanged" || second.Unchanged != 2 || sameBatch.ID != batch.ID || len(w.written(w.out)) != files || w.kept() != 2 {
		t.Errorf("run again: %s in batch %s, %d certificates, files %v", again, sameBatch.ID, w.kept(), w.written(w.out))
	}
	// Without a folder of one's own it lies in the home's.
	q.Out = ""
	if _, report, _ := w.issue(q); report.Out != filepath.Join(w.Home.ResultsFolder(1), "2026-05-02-spring") || len(w.written(report.Out)) != files {
		t.Errorf("in %s lie %v", report.Out, w.written(report.Out))
	}
}

func TestBadRows(t *testing.T) {
	t.Parallel()
	w := newWorks(t)
	w.run()
	q := w.rows("Ann", "Bob")
	q.Manifest = append(q.Manifest, "Diploma,Cem,no address,2026-05-02,cem.pdf\n"...)
	if got, report, batch := w.issue(q); got != "not_issued not_issued rejected" || report.Failed != 1 || batch.ID != "" || w.kept() != 0 || w.written(w.out) != nil {
		t.Fatalf("one bad row: %s, %+v, %d certificates, files %v", got, batch, w.kept(), w.written(w.out))
	}
	q.Skip = true
	got, report, _ := w.issue(q)
	if got != "issued issued rejected" || w.kept() != 2 {
		t.Fatalf("without the bad row: %s, %d certificates", got, w.kept())
	}
	if last := report.Rows[2]; last.Error == "" || last.UUID != "" || !slices.Contains(w.written(w.out), "rejected.csv") {
		t.Errorf("%+v, files %v", last, w.written(w.out))
	}
}

func TestATrialChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorks(t)
	q := w.rows("Ann")
	q.DryRun = true
	w.full = fault.New(fault.Full, "the disk is full")
	if got, _, batch := w.issue(q); got != "ready" || batch.ID != "" || w.kept() != 0 || w.written(w.out) != nil {
		t.Errorf("%s: %d certificates, files %v", got, w.kept(), w.written(w.out))
	}
	q.DryRun = false
	if _, _, err := w.Issue(t.Context(), w.order(q)); !fault.Is(err, fault.Full) || w.kept() != 0 || w.written(w.out) != nil {
		t.Errorf("on a full disk: %v, %d certificates, files %v", err, w.kept(), w.written(w.out))
	}
}

// What one run accepts and does not wait for, the next collects.
func TestNobodyWaits(t *testing.T) {
	t.Parallel()
	w := newWorks(t)
	q := w.rows("Ann", "Bob")
	q.NoWait = true
	if got, _, _ := w.issue(q); got != "processing processing" || len(w.written(w.out)) != 0 {
		t.Fatalf("%s, files %v", got, w.written(w.out))
	}
	w.run()
	q.NoWait = false
	if got, report, _ := w.issue(q); got != "issued issued" || !slices.Contains(w.written(w.out), report.Rows[1].File) {
		t.Errorf("%s, files %v", got, w.written(w.out))
	}
}

func TestActsOnABatch(t *testing.T) {
	t.Parallel()
	w := newWorks(t)
	q := w.rows("Ann", "Bob")
	q.NoWait = true
	_, report, _ := w.issue(q)
	act := func(what adminclient.BatchAction) client.Batch {
		t.Helper()
		b, err := w.ActOnBatch(t.Context(), w.institution.ID, report.BatchID, what)
		w.ok(err)
		return b
	}
	if b := act(adminclient.PauseBatch); b.Status != "paused" {
		t.Errorf("paused: %+v", b)
	}
	w.run()
	if jobs, err := w.store.Claim(t.Context(), store.Lane{Kind: vault.JobSign}, "worker", 10, w.Now()); err != nil || len(jobs) != 0 {
		t.Errorf("of a paused batch %d jobs are begun, %v", len(jobs), err)
	}
	if b := act(adminclient.CancelBatch); b.Status != "cancelled" {
		t.Errorf("cancelled: %+v", b)
	}
	for act, kind := range map[adminclient.BatchAction]fault.Kind{adminclient.CancelBatch: fault.Illegal, adminclient.ResumeBatch: fault.Illegal, "explode": fault.NotFound} {
		if _, err := w.ActOnBatch(t.Context(), w.institution.ID, report.BatchID, act); !fault.Is(err, kind) {
			t.Errorf("%s of a cancelled batch: %v", act, err)
		}
	}
	w.institution.ID++
	if _, err := w.ActOnBatch(t.Context(), w.institution.ID, report.BatchID, adminclient.CancelBatch); !fault.Is(err, fault.NotFound) {
		t.Errorf("by another institution's staff: %v", err)
	}
	w.institution.ID--
	q.NoWait = false
	if got, again, _ := w.issue(q); got != "failed failed" || again.BatchID != report.BatchID || again.Rows[0].Error == "" || w.kept() != 2 {
		t.Errorf("handed in again: %s, %+v", got, again)
	}
}

// A caller that waits for a batch is told when somebody else cancels it.
func TestCancelledWhileSomebodyWaits(t *testing.T) {
	t.Parallel()
	w := newWorks(t) // nothing is processed
	order := w.order(w.rows("Ann"))
	acted := false
	w.Work = wake.All{w.Work, onWake(func() { // the row is accepted
		if acted {
			return
		}
		acted = true
		page, err := w.store.List(t.Context(), store.Filter{Institution: 1}, 1, 1)
		if err == nil {
			_, err = w.ActOnBatch(t.Context(), w.institution.ID, page.Certificates[0].Batch, adminclient.CancelBatch)
		}
		if err != nil {
			t.Error(err)
		}
	})}
	if _, _, err := w.Issue(t.Context(), order); !fault.Is(err, fault.Illegal) || !strings.Contains(err.Error(), "2026-05-02-spring was cancelled") {
		t.Errorf("who waits hears %v", err)
	}
}

// onWake is a part that does something when it is woken.
type onWake func()

func (f onWake) Wake() { f() }

func TestWhatTheDropFolderBrings(t *testing.T) {
	t.Parallel()
	w := newWorks(t)
	w.run()
	q := w.rows("Ann", "Bob")
	w.ok(os.Remove(filepath.Join(w.docs, "bob.pdf")))
	b := dropfolder.Batch{Name: q.Name, Manifest: q.Manifest, Files: q.Files, Out: q.Out, Institution: 1, Begun: w.Now(),
		Lost: map[int]string{2: "bob.pdf did not come"}, Progress: func(client.Progress) {}}
	got, err := w.IssueDropped(t.Context(), b)
	w.ok(err)
	if got.Name != "2026-05-02-spring" || got.Report.Issued != 1 || got.Report.Rows[1].Error != "bob.pdf did not come" {
		t.Errorf("%+v", got)
	}
	m, err := manifest.Read(q.Manifest, manifest.Options{Name: q.Name})
	w.ok(err)
	if issued, err := w.Issued(t.Context(), 1, m); err != nil || len(issued) != 1 || !issued[1] {
		t.Errorf("issued are rows %v, %v", issued, err)
	}
	// Interrupted and tried again, it says the same, although Ann's document has gone.
	w.ok(os.Remove(filepath.Join(w.docs, "ann.pdf")))
	if again, err := w.IssueDropped(t.Context(), b); err != nil || again.Report.Issued != 1 || again.Name != got.Name || w.kept() != 1 {
		t.Errorf("tried again: %+v, %v", again, err)
	}
	b.Institution = 2
	if _, err := w.IssueDropped(t.Context(), b); err == nil {
		t.Error("issued for an institution that does not exist")
	}
}

// oneStamper signs for every institution with one key.
type oneStamper struct {
	institutions.Fixed
	stamper *pdf.Stamper
	logKey  *transparency.Key
}

// LogKey implements signing.Institutions.
func (o oneStamper) LogKey(uint32) (*transparency.Key, error) { return o.logKey, nil }

// Stamper implements signing.Institutions.
func (o oneStamper) Stamper(uint32) (*pdf.Stamper, error) { return o.stamper, nil }
