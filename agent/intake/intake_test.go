package intake_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ledger is a store that remembers what it accepted.
type ledger struct {
	accepted  []store.NewCertificate
	conflicts int // calls that will meet a taken identity
	held      map[vault.Key]*vault.Certificate
	frozen    map[vault.Key]vault.Date
	verified  map[string]*vault.Certificate // by the verified PDF's hash
}

func (l *ledger) ByVerifiedSHA256(_ context.Context, sums ...string) ([]*vault.Certificate, error) {
	found := make([]*vault.Certificate, len(sums))
	for i, sum := range sums {
		found[i] = l.verified[sum]
	}
	return found, nil
}

func (l *ledger) ByReference(_ context.Context, reference string) (vault.Certificate, error) {
	for _, c := range l.verified {
		if c.Reference == reference {
			return *c, nil
		}
	}
	return vault.Certificate{}, fault.New(fault.NotFound, "Certificate not found.")
}

func (l *ledger) Insert(_ context.Context, rows []store.NewCertificate) ([]store.InsertResult, error) {
	if l.conflicts > 0 {
		l.conflicts--
		return nil, fault.New(fault.Conflict, "taken")
	}
	out := make([]store.InsertResult, len(rows))
	for i, r := range rows {
		r.Certificate.ID = uint64(len(l.accepted) + 1)
		l.accepted = append(l.accepted, r)
		out[i] = store.InsertResult{Certificate: r.Certificate}
	}
	return out, nil
}

func (l *ledger) KeyHolders(_ context.Context, _ uint32, keys []vault.Key) ([]*vault.Certificate, error) {
	found := make([]*vault.Certificate, len(keys))
	for i, k := range keys {
		found[i] = l.held[k]
	}
	return found, nil
}

func (l *ledger) Certificate(context.Context, uint32, string) (vault.Certificate, error) {
	return vault.Certificate{}, fault.New(fault.NotFound, "Certificate not found.")
}

func (l *ledger) FrozenDates(_ context.Context, _ uint32, keys []vault.Key) ([]vault.Date, error) {
	found := make([]vault.Date, len(keys))
	for i, k := range keys {
		found[i] = l.frozen[k]
	}
	return found, nil
}

// desk is an intake with a folder of documents.
type desk struct {
	t      *testing.T
	ledger *ledger
	intake *intake.Intake
	docs   string
	blobs  string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, ledger: &ledger{}, docs: t.TempDir(), blobs: filepath.Join(t.TempDir(), "blobs")}
	blobs, err := blob.OpenFolder(d.blobs)
	if err != nil {
		t.Fatal(err)
	}
	d.intake = &intake.Intake{Store: d.ledger, Blobs: blobs, Random: rand.Reader,
		Now: func() time.Time { return time.Date(2026, 5, 2, 23, 30, 0, 0, time.UTC) }}
	return d
}

func (d *desk) documents(n int) {
	d.t.Helper()
	for i := range n {
		body := []byte(fmt.Sprintf("%%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n"+
			"3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d 842]>>\nendobj\n", 400+i))
		at := []int{0}
		for o := 1; o <= 3; o++ {
			at = append(at, strings.Index(string(body), fmt.Sprintf("%d 0 obj", o)))
		}
		start := len(body)
		body = fmt.Appendf(body, "xref\n0 4\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n%010d 00000 n \ntrailer\n<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n",
			at[1], at[2], at[3], start)
		if err := os.WriteFile(filepath.Join(d.docs, fmt.Sprintf("d%d.pdf", i)), body, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
}

// check looks at a manifest as bulk does; change may alter the request.
func (d *desk) check(table string, change func(*intake.CheckRequest)) []*intake.RowResult {
	d.t.Helper()
	return d.checkAll(table, func(o *intake.CheckRequest) {
		o.Trigger, o.DryRun = vault.BulkUpload, false
		if change != nil {
			change(o)
		}
	}).Rows
}

func rows(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Diploma,Person %d,p%d@example.org,2026-05-02,d%d.pdf\n", i, i, i)
	}
	return b.String()
}

// files counts the files below a folder.
func files(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(_ string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var somebody = vault.Institution{ID: 1, TimeZone: "Europe/Warsaw"}

func TestAcceptedDocumentsAreStoredFirst(t *testing.T) {
	d := newDesk(t)
	d.documents(3)
	found := d.check(rows(3), nil)
	told := 0
	err := d.intake.Accept(t.Context(), somebody, found, func(group []*intake.RowResult) {
		told += len(group)
		for _, c := range group {
			if _, err := os.Stat(filepath.Join(d.blobs, c.Draft.File.SHA256[:2], c.Draft.File.SHA256)); err != nil {
				t.Errorf("accepted and not stored: %v", err)
			}
		}
	})
	if err != nil || told != 3 || len(d.ledger.accepted) != 3 || files(t, d.blobs) != 3 {
		t.Errorf("%d told, %d accepted, %d files, %v", told, len(d.ledger.accepted), files(t, d.blobs), err)
	}
	for i, c := range found {
		if !c.New || c.Certificate == nil || c.Certificate.Status != vault.Processing || c.Certificate.File.Name != fmt.Sprintf("d%d.pdf", i) {
			t.Errorf("candidate %d: %+v", i, c.Certificate)
		}
	}
}

func TestALookStoresNothing(t *testing.T) {
	d := newDesk(t)
	d.documents(3)
	found := d.check(rows(3), func(o *intake.CheckRequest) { o.DryRun = true })
	for _, c := range found {
		if !c.Issuable() || c.Draft.File.SHA256 == "" {
			t.Errorf("row %d: %v", c.Row.Number, c.Problems)
		}
	}
	if n := files(t, d.blobs); n != 0 {
		t.Errorf("a look left %d files", n)
	}
}

// What is not to be issued leaves nothing in the blob folder.
func TestRefusedRowsLeaveNothing(t *testing.T) {
	d := newDesk(t)
	d.documents(3)
	found := d.check("Diploma,A,a@example.org,,d0.pdf\nDiploma,B,A@example.org,,d1.pdf\nDiploma,C,c@example.org,2026-05-02,d2.pdf\n", nil)
	if !found[0].Issuable() || !found[2].Issuable() || found[1].Issuable() {
		t.Fatalf("problems: %v, %v, %v", found[0].Problems, found[1].Problems, found[2].Problems)
	}
	if n := files(t, d.blobs); n != 2 {
		t.Errorf("%d files are staged, want 2", n)
	}
	for _, c := range found {
		c.Discard()
		c.Discard()
	}
	if n := files(t, d.blobs); n != 0 {
		t.Errorf("%d files are left", n)
	}
}

// A row without a date is dated where the institution is, and collides with one
// that says the same date.
func TestUndatedRows(t *testing.T) {
	d := newDesk(t)
	d.documents(2)
	found := d.check("Diploma,A,a@example.org,,d0.pdf\nDiploma,B,a@example.org,2026-05-03,d1.pdf\n", nil)
	if found[0].Draft.IssueDate != "2026-05-03" || !found[0].Draft.Undated || !found[0].Issuable() {
		t.Errorf("dated %s, %v", found[0].Draft.IssueDate, found[0].Problems)
	}
	if len(found[1].Problems) != 1 || !strings.Contains(found[1].Problems[0], "as row 1") {
		t.Errorf("the twin: %v", found[1].Problems)
	}
	// One whose date was put in by an earlier run keeps that.
	d.ledger.frozen = map[vault.Key]vault.Date{found[0].Draft.FreezeKey(): "2026-04-01"}
	if again := d.check("Diploma,A,a@example.org,,d0.pdf\n", nil); again[0].Draft.IssueDate != "2026-04-01" {
		t.Errorf("dated anew: %s", again[0].Draft.IssueDate)
	}
}

func TestARowThatSaysSomethingElseThanWasIssued(t *testing.T) {
	d := newDesk(t)
	d.documents(2)
	first := d.check(rows(1), nil)
	if err := d.intake.Accept(t.Context(), somebody, first, func([]*intake.RowResult) {}); err != nil {
		t.Fatal(err)
	}
	issued := first[0].Certificate
	d.ledger.held = map[vault.Key]*vault.Certificate{first[0].Draft.Key(): issued}
	if same := d.check(rows(1), nil); len(same[0].Problems) != 0 || same[0].Certificate == nil {
		t.Errorf("the same row: %v", same[0].Problems)
	}
	for name, table := range map[string]string{
		"full_name": "Diploma,Another,p0@example.org,2026-05-02,d0.pdf\n",
		"file":      "Diploma,Person 0,P0@Example.org,2026-05-02,d1.pdf\n",
	} {
		changed := d.check(table, nil)[0]
		if len(changed.Problems) != 1 || !strings.Contains(changed.Problems[0], name) ||
			!strings.Contains(changed.Problems[0], "vecctl reissue "+issued.Reference) {
			t.Errorf("%s: %v", name, changed.Problems)
		}
	}
	superseded := *issued
	superseded.SupersededBy = "u"
	d.ledger.held[first[0].Draft.Key()] = &superseded
	if old := d.check("Diploma,Another,p0@example.org,2026-05-02,d0.pdf\n", nil)[0]; len(old.Problems) != 0 {
		t.Errorf("the row of a certificate that was corrected: %v", old.Problems)
	}
	if n := files(t, d.blobs); n != 1 {
		t.Errorf("%d files, want the issued document alone", n)
	}
}

func TestIdentitiesThatAreTaken(t *testing.T) {
	d := newDesk(t)
	d.documents(1)
	d.ledger.conflicts = 2
	if err := d.intake.Accept(t.Context(), somebody, d.check(rows(1), nil), func([]*intake.RowResult) {}); err != nil {
		t.Errorf("two taken identities: %v", err)
	}
	d.ledger.conflicts = 100
	err := d.intake.Accept(t.Context(), somebody, d.check(rows(1), nil), func([]*intake.RowResult) { t.Error("told of what was not accepted") })
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("got %v", err)
	}
}

// When the caller ends, the group in hand is finished and no other is begun.
func TestAcceptStopsBetweenGroups(t *testing.T) {
	d := newDesk(t)
	d.documents(300)
	found := d.check(rows(300), nil)
	ctx, cancel := context.WithCancel(t.Context())
	err := d.intake.Accept(ctx, somebody, found, func([]*intake.RowResult) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := len(d.ledger.accepted); n == 0 || n >= 300 || files(t, filepath.Join(d.blobs, "tmp")) != 300-n {
		t.Errorf("%d accepted, %d staged", n, files(t, filepath.Join(d.blobs, "tmp")))
	}
}

func TestCheckStops(t *testing.T) {
	d := newDesk(t)
	d.documents(50)
	m, err := manifest.Read([]byte("title,name,email,date,file\n"+rows(50)), manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(d.docs)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	listed, err := intake.ListFiles(root)
	if err != nil || len(listed) != 50 {
		t.Fatal(len(listed), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = d.intake.Check(ctx, intake.CheckRequest{Institution: somebody, Manifest: m, Files: root, Listed: listed,
		Progress: func(done int) {
			if done == 10 {
				cancel()
			}
		}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n := files(t, d.blobs); n != 0 {
		t.Errorf("%d files are left", n)
	}
}
