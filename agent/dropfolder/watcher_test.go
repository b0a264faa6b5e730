package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/manifest"
)

// bench is a watcher on folders of its own, with a clock that the test moves and
// an issuer that takes a document for sound when it ends in "END".
type bench struct {
	*Watcher
	t      *testing.T
	dir    string
	issuer *fakeIssuer

	mu  sync.Mutex
	now time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), issuer: &fakeIssuer{}, now: time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)}
	for _, name := range []string{"drop", "incoming", "verified", "failed"} {
		if err := os.Mkdir(filepath.Join(b.dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.issuer.owners = []Owner{{Institution: 1, Name: "Northgate", Folder: "northgate", Failed: filepath.Join(b.dir, "failed")}}
	b.again()
	return b
}

// retryDue is the watcher as a new process has it.
func (b *bench) again() {
	b.Watcher = New(b.options())
}

func (b *bench) options() Options {
	return Options{
		Folder: filepath.Join(b.dir, "drop"), Incoming: filepath.Join(b.dir, "incoming"),
		Results: filepath.Join(b.dir, "verified"), Failed: filepath.Join(b.dir, "failed"),
		Settle: 5 * time.Second, Wait: 10 * time.Minute,
		Issuer: b.issuer,
		Now: func() time.Time {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.now
		},
		Log: slog.New(slog.DiscardHandler),
	}
}

// pass lets time go by and looks.
func (b *bench) pass(d time.Duration) {
	b.t.Helper()
	b.mu.Lock()
	b.now = b.now.Add(d)
	b.mu.Unlock()
	b.scan(b.t.Context())
}

// settle looks, and looks again when everything has settled.
func (b *bench) settle() {
	b.t.Helper()
	b.pass(0)
	b.pass(b.Settle)
}

// work tries every batch that can be tried now.
func (b *bench) work() {
	b.t.Helper()
	for {
		s, _ := b.next()
		if s == nil {
			return
		}
		b.finishTry(b.t.Context(), s, b.issue(b.t.Context(), s, make(chan struct{}, 1)))
	}
}

// put writes a file below the test's folder.
func (b *bench) put(name, content string) {
	b.t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	for tries := 0; ; tries++ {
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, []byte(content), 0o600)
		}
		// A folder that a batch was taken out of may go between the two.
		if errors.Is(err, fs.ErrNotExist) && tries < 100 {
			continue
		}
		must(b.t, err)
		return
	}
}

func (b *bench) read(name string) string {
	b.t.Helper()
	body, err := os.ReadFile(filepath.Join(b.dir, filepath.FromSlash(name)))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(body)
}

func (b *bench) remove(name string) {
	b.t.Helper()
	must(b.t, os.Remove(filepath.Join(b.dir, filepath.FromSlash(name))))
}

// lies checks what lies in a folder and below it.
func (b *bench) lies(folder string, want ...string) {
	b.t.Helper()
	if got := tree(b.t, filepath.Join(b.dir, folder)); !slices.Equal(got, want) {
		b.t.Errorf("in %s lie\n%s\nwant\n%s", folder, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// tree names files and empty folders.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, err := filepath.Rel(dir, path)
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if inside, err := os.ReadDir(path); err != nil || len(inside) > 0 {
				return err
			}
			name += "/"
		}
		names = append(names, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// rows makes a manifest; each row is a person with a file.
func rows(pairs ...string) string {
	var text strings.Builder
	text.WriteString("certificate_title,full_name,applicant_email,issue_date,file\n")
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&text, "Diploma,%s,%s@example.org,2026-06-01,%s\n", pairs[i], strings.ToLower(pairs[i]), pairs[i+1])
	}
	return text.String()
}

func (f *fakeIssuer) SharesAddresses(uint32) bool { return false }

func (f *fakeIssuer) Report(_ context.Context, o Outcome) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, o)
	return nil
}

// fakeIssuer issues what ends in "END" and remembers it.
type fakeIssuer struct {
	mu      sync.Mutex
	fail    error          // what Issue returns
	held    map[int]bool   // what Issued returns
	told    []Outcome      // what the office was told
	issuers []uint32       // the institutions that issued them
	issued  []string       // contents of the documents issued, in order
	byName  map[string]int // outcomes by digest
	below   string         // what comes before the outcomes' names
	called  chan string    // told of every batch, when set
	owners  []Owner
}

func (f *fakeIssuer) Owners() []Owner {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.owners
}

func (f *fakeIssuer) Issued(context.Context, uint32, *manifest.Manifest) (map[int]bool, error) {
	return f.held, nil
}

func (f *fakeIssuer) IssueDropped(_ context.Context, b Batch) (IssueResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return IssueResult{}, f.fail
	}
	m, err := manifest.Read(b.Manifest, b.Answers.Options(b.Name))
	if err != nil {
		return IssueResult{}, err
	}
	report := client.BulkReport{Total: len(m.Rows)}
	reasons := map[int]string{}
	for _, row := range m.Rows {
		line := client.BulkRow{Row: row.Number, Status: client.RowIssued, File: row.File}
		body, err := os.ReadFile(filepath.Join(b.Files, filepath.FromSlash(row.File)))
		switch {
		case b.Lost[row.Number] != "":
			line.Status, line.Error = client.RowRejected, b.Lost[row.Number]
		case err != nil && f.held[row.Number]:
			line.Status = client.RowUnchanged
		case err != nil || !strings.HasSuffix(string(body), "END"):
			line.Status, line.Error = client.RowRejected, fmt.Sprintf("row %d: not sound", row.Number)
		case strings.HasPrefix(string(body), "poison"):
			line.Status, line.Error, line.ReferenceID = client.RowFailed, "ended the program", "VEC-1"
		default:
			f.issued = append(f.issued, string(body))
			f.issuers = append(f.issuers, b.Institution)
			if err := os.WriteFile(filepath.Join(b.Out, row.Name+".pdf"), body, 0o600); err != nil {
				return IssueResult{}, err
			}
		}
		if line.Error != "" && line.Status == client.RowRejected {
			reasons[row.Number] = line.Error
		}
		report.Rows = append(report.Rows, line)
	}
	if err := f.report(b, m, report, reasons); err != nil {
		return IssueResult{}, err
	}
	if f.called != nil {
		f.called <- b.Name
	}
	return IssueResult{Name: f.name(b, m), Report: report}, nil
}

// name is the manifest's, with a number when another has it.
func (f *fakeIssuer) name(b Batch, m *manifest.Manifest) string {
	stem := f.below + "2026-06-01-" + strings.TrimSuffix(b.Name, filepath.Ext(b.Name))
	if f.byName == nil {
		f.byName = map[string]int{}
	}
	key := stem + string(m.Digest[:])
	if f.byName[key] == 0 {
		f.byName[stem]++
		f.byName[key] = f.byName[stem]
	}
	if n := f.byName[key]; n > 1 {
		return fmt.Sprintf("%s-%d", stem, n)
	}
	return stem
}

func (f *fakeIssuer) report(b Batch, m *manifest.Manifest, r client.BulkReport, reasons map[int]string) error {
	var text strings.Builder
	for _, row := range r.Rows {
		fmt.Fprintf(&text, "%d,%s,%s\n", row.Row, row.Status, row.Error)
	}
	if err := os.WriteFile(filepath.Join(b.Out, staging.ReportName), []byte(text.String()), 0o600); err != nil || len(reasons) == 0 {
		return err
	}
	out, err := os.Create(filepath.Join(b.Out, staging.RejectedName))
	if err != nil {
		return err
	}
	defer out.Close()
	return manifest.WriteRejected(out, m, reasons)
}
