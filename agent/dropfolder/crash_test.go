package dropfolder

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
	"github.com/vecctl/vecctl/pkg/client"
)

// start does what Run does before it watches.
func (b *bench) start() {
	b.t.Helper()
	left, err := staging.Resume(b.Incoming)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, one := range left {
		b.resume(&stagedBatch{Batch: one})
	}
}

// dropped is a bench with a batch of three documents that is ready.
func dropped(t *testing.T) *bench {
	b := newBench(t)
	b.put("drop/sub/m.csv", rows("Ann", "docs/a.pdf", "Bob", "docs/b.pdf", "Cem", "c.pdf"))
	b.put("drop/sub/docs/a.pdf", "a END")
	b.put("drop/sub/docs/b.pdf", "b END")
	b.put("drop/sub/c.pdf", "c END")
	b.settle()
	return b
}

func TestATakingThatWasInterruptedIsGoneOnWith(t *testing.T) {
	for moved := range 5 {
		t.Run(fmt.Sprintf("after %d files", moved), func(t *testing.T) {
			b := dropped(t)
			back(t, b.queue[0], b.Folder, moved)
			b.again()
			b.start()
			b.work()
			b.settle()
			b.work()
			b.lies("drop")
			b.lies("incoming")
			b.lies("failed")
			b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/Bob.pdf", "2026-06-01-m/Cem.pdf", "2026-06-01-m/report.csv")
			if len(b.issuer.issued) != 3 {
				t.Errorf("issued %q", b.issuer.issued)
			}
		})
	}
}

// back moves all but the first few files of a batch to where they were. Folders that the
// taking has removed are made again, and stand in the record as those that were seen.
func back(t *testing.T, s *stagedBatch, drop string, keep int) {
	t.Helper()
	defer func() {
		for i, f := range s.Files {
			info, err := os.Lstat(filepath.Dir(filepath.Join(drop, f.From)))
			if err != nil {
				continue
			}
			id := staging.FileIDOf(info).Inode
			s.Files[i].Folder = &id
		}
		body, err := json.Marshal(s.Record)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(s.Dir, "record.json"), body, 0o600))
	}()
	for _, f := range s.Files[keep:] {
		to := filepath.Join(drop, f.From)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(s.Dir, f.To), to); err != nil {
			t.Fatal(err)
		}
	}
}

func TestATakingWhoseRestHasChangedIsPutBack(t *testing.T) {
	b := dropped(t)
	back(t, b.queue[0], b.Folder, 2)
	b.put("drop/sub/docs/b.pdf", "b, written anew, END")
	b.put("drop/sub/c.pdf", "c, put there again, END")
	b.again()
	b.start()
	b.lies("incoming")
	b.lies("drop", "sub/c.pdf", "sub/docs/a.pdf", "sub/docs/b.pdf", "sub/m.csv")
	b.lies("failed", "c.pdf", "c.pdf.reason.txt") // the older one
	b.settle()
	b.work()
	b.lies("drop")
	want := []string{"a END", "b, written anew, END", "c, put there again, END"}
	if !slices.Equal(b.issuer.issued, want) {
		t.Errorf("issued %q", b.issuer.issued)
	}
}

func TestAnEndThatWasInterruptedIsGoneOnWith(t *testing.T) {
	// Each leaves the batch as a crash in the middle of its end does.
	steps := map[string]func(*testing.T, *bench, *stagedBatch, staging.Result){
		"nothing is moved": func(*testing.T, *bench, *stagedBatch, staging.Result) {},
		"a document is set aside": func(t *testing.T, b *bench, s *stagedBatch, r staging.Result) {
			b.put("failed/2026-06-01-m/docs/b.pdf.reason.txt", "row 2")
			b.put("failed/2026-06-01-m/docs/b.pdf", "x")
			must(t, os.Rename(filepath.Join(s.FilesPath(), "docs", "b.pdf"), filepath.Join(b.Failed, r.Name, "docs", "b.pdf")))
		},
		"the outcome is out": func(t *testing.T, b *bench, s *stagedBatch, r staging.Result) {
			must(t, os.Rename(s.ResultsPath(), filepath.Join(b.Results, r.Name)))
			must(t, os.MkdirAll(filepath.Join(b.Failed, r.Name, "docs"), 0o700))
			must(t, os.Rename(filepath.Join(s.FilesPath(), "docs", "b.pdf"), filepath.Join(b.Failed, r.Name, "docs", "b.pdf")))
		},
		"the batch is being removed": func(t *testing.T, _ *bench, s *stagedBatch, _ staging.Result) {
			must(t, os.RemoveAll(s.Dir))
			must(t, os.MkdirAll(filepath.Join(filepath.Dir(s.Dir), "."+filepath.Base(s.Dir), "files"), 0o700))
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			b := dropped(t)
			s := b.queue[0]
			must(t, s.Begin(b.Now()))
			must(t, os.WriteFile(filepath.Join(s.ResultsPath(), "report.csv"), []byte("the first"), 0o600))
			r, err := s.Conclude("2026-06-01-m", client.BulkReport{Rows: []client.BulkRow{{Row: 2, Status: client.RowRejected, Error: "row 2"}}},
				map[int]string{2: "docs/b.pdf"})
			must(t, err)
			step(t, b, s, r)
			b.again()
			b.start()
			b.work()
			b.pass(time.Hour)
			b.lies("drop")
			b.lies("incoming")
			if name == "the batch is being removed" {
				return
			}
			if got := b.read("verified/2026-06-01-m/report.csv"); got != "the first" {
				t.Errorf("the report is %q", got)
			}
			if got := b.read("failed/2026-06-01-m/docs/b.pdf"); got != "b END" {
				t.Errorf("set aside is %q", got)
			}
			if len(b.issuer.issued) != 0 {
				t.Errorf("issued again: %q", b.issuer.issued)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
