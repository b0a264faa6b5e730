package dropfolder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

func TestAFileThatChangesWhileItIsReadIsPutBack(t *testing.T) {
	b := newBench(t)
	b.put("drop/sub/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/sub/a.pdf", "a END")
	b.settle()
	b.issuer.fail = errors.Join(ErrChanging, errors.New("a.pdf"))
	b.work()
	b.lies("drop", "sub/a.pdf", "sub/m.csv")
	b.lies("incoming")
	b.lies("failed")
	b.issuer.fail = nil
	b.settle()
	b.work()
	b.lies("drop")
	b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/report.csv")
}

// Someone who had the file open when it was taken writes on.
func TestAFileThatIsWrittenToAfterItWasTaken(t *testing.T) {
	write := func(b *bench, name string) {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			b.t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(" and more END"); err != nil {
			b.t.Fatal(err)
		}
	}
	t.Run("before it is issued", func(t *testing.T) {
		b := newBench(t)
		b.put("drop/m.csv", rows("Ann", "a.pdf"))
		b.put("drop/a.pdf", "a END")
		b.settle()
		write(b, filepath.Join(b.queue[0].FilesPath(), "a.pdf"))
		b.work()
		b.lies("drop", "a.pdf", "m.csv")
		b.settle()
		b.work()
		if !slices.Equal(b.issuer.issued, []string{"a END and more END"}) {
			t.Errorf("issued %q", b.issuer.issued)
		}
	})
	t.Run("after it was read", func(t *testing.T) {
		b := newBench(t)
		b.put("drop/m.csv", rows("Ann", "a.pdf"))
		b.put("drop/a.pdf", "a END")
		b.settle()
		s := b.queue[0]
		b.Issuer = afterwards{b.issuer, func() { write(b, filepath.Join(s.FilesPath(), "a.pdf")) }}
		b.work()
		b.lies("failed", "2026-06-01-m/a.pdf", "2026-06-01-m/a.pdf.reason.txt")
		if got := b.read("failed/2026-06-01-m/a.pdf"); got != "a END and more END" {
			t.Errorf("set aside is %q", got)
		}
		if got := b.read("verified/2026-06-01-m/Ann.pdf"); got != "a END" {
			t.Errorf("issued is %q", got)
		}
	})
}

// afterwards does something right after a batch was issued.
type afterwards struct {
	*fakeIssuer
	then func()
}

func (a afterwards) IssueDropped(ctx context.Context, b Batch) (IssueResult, error) {
	defer a.then()
	return a.fakeIssuer.IssueDropped(ctx, b)
}

func TestTroubleIsWaitedOut(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/a.pdf", "a END")
	b.settle()
	b.issuer.fail = fault.New(fault.Full, "the disk is full")
	b.work()
	if s := b.Status(); len(s.Batches) != 1 || s.Batches[0].Trouble != "the disk is full" {
		t.Errorf("status says %+v", s.Batches)
	}
	b.lies("failed")
	b.lies("verified")
	b.issuer.fail = nil
	b.pass(9 * time.Second)
	b.work()
	b.lies("verified")
	b.pass(time.Second)
	b.work()
	b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/report.csv")
	if s := b.Status(); len(s.Batches) != 0 {
		t.Errorf("status says %+v", s.Batches)
	}
}

func TestABatchThatCannotBeIssuedIsSetAsideAsAWhole(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "docs/a.pdf"))
	b.put("drop/docs/a.pdf", "a END")
	b.settle()
	b.issuer.fail = fault.New(fault.Illegal, "batch m was cancelled")
	folder := filepath.Base(b.queue[0].Dir)
	b.work()
	b.lies("incoming")
	b.lies("failed", folder+"/docs/a.pdf", folder+"/m.csv", folder+"/m.csv.reason.txt")
}

// A manifest that can be neither taken nor refused at the moment is shown with what is
// wrong, and tried again.
func TestAManifestThatCannotBeRefusedWaits(t *testing.T) {
	b := newBench(t)
	must(t, os.Remove(b.Failed))
	must(t, os.WriteFile(b.Failed, nil, 0o600)) // nothing can be put into it
	b.put("drop/m.csv", "no manifest")
	b.settle()
	waiting := b.Status().Waiting
	if len(waiting) != 1 || waiting[0].State != Waiting || waiting[0].Note == "" {
		t.Fatalf("status shows %+v", waiting)
	}
	must(t, os.Remove(b.Failed))
	must(t, os.Mkdir(b.Failed, 0o700))
	b.pass(retryDelay)
	b.lies("drop")
	b.lies("failed", "m.csv", "m.csv.reason.txt")
}

func TestTheFolderGoesAndComesBack(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.pass(0)
	if err := os.Rename(filepath.Join(b.dir, "drop"), filepath.Join(b.dir, "away")); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Second)
	if s := b.Status(); !strings.Contains(s.Trouble, "no such file") || len(s.Waiting) != 0 {
		t.Errorf("status says %q and lists %v", s.Trouble, s.Waiting)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "drop"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Second)
	if s := b.Status(); !strings.Contains(s.Trouble, "not a directory") {
		t.Errorf("status says %q", s.Trouble)
	}
	if err := os.Remove(filepath.Join(b.dir, "drop")); err != nil {
		t.Fatal(err)
	}
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/a.pdf", "a END")
	b.pass(time.Hour) // what was seen before counts no more
	if len(b.queue) != 0 {
		t.Error("taken without standing still")
	}
	b.settle()
	b.work()
	if s := b.Status(); s.Trouble != "" {
		t.Errorf("status says %q", s.Trouble)
	}
	b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/report.csv")
}

func TestRowsThatNameManifests(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "m.csv", "Bob", "n.csv"))
	b.put("drop/n.csv", rows("Cem", "c.pdf"))
	b.put("drop/c.pdf", "c END")
	b.settle()
	b.work()
	b.settle()
	b.work()
	b.lies("drop", "c.pdf")
	b.lies("incoming")
	b.lies("failed", "2026-06-01-m/n.csv", "2026-06-01-m/n.csv.reason.txt",
		"2026-06-01-m/rejected.csv", "2026-06-01-m/rejected.csv.reason.txt")
}

func TestNamesThatAreNotUTF8(t *testing.T) {
	b := newBench(t)
	if err := os.WriteFile(filepath.Join(b.dir, "drop", "r\xe9sum\xe9.csv"), []byte(rows("Ann", "a.pdf")), 0o600); err != nil {
		t.Skip("this file system takes no such name:", err)
	}
	b.put("drop/a.pdf", "a END")
	b.settle()
	b.again()
	b.start()
	b.work()
	b.lies("drop")
	b.lies("incoming")
	b.lies("verified", "2026-06-01-r_sum_/Ann.pdf", "2026-06-01-r_sum_/report.csv")
}

func TestADamagedRecordHoldsNobodyUp(t *testing.T) {
	b := newBench(t)
	b.put("incoming/20260601T100000.000-m/record.json", "{")
	b.put("incoming/lost+found/x", "not ours")
	w := b.run(nil)
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/a.pdf", "a END")
	b.waitFor("m.csv")
	until(t, "the outcome", func() bool { return len(tree(t, w.Results)) == 2 })
	if got := b.read("incoming/20260601T100000.000-m/record.json"); got != "{" {
		t.Errorf("the record is %q", got)
	}
}

// The drop folder lies in another file system than the home.
func TestAcrossFileSystems(t *testing.T) {
	other, err := os.MkdirTemp("/dev/shm", "drop-test-*")
	if err != nil {
		t.Skip("there is no other file system:", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(other) })
	b := newBench(t)
	b.Folder = other
	put := func(name, content string) {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(other, name)), 0o700))
		must(t, os.WriteFile(filepath.Join(other, name), []byte(content), 0o640))
	}
	var pairs []string
	for n := range 20 { // more than are flushed one by one
		name := fmt.Sprintf("docs/%d.pdf", n)
		pairs = append(pairs, fmt.Sprintf("P%d", n), name)
		put("sub/"+name, "END")
	}
	put("sub/m.csv", rows(append(pairs, "Bob", "b.pdf")...))
	put("sub/n.csv", rows("Bob", "b.pdf"))
	put("sub/b.pdf", "b, damaged")
	b.settle()
	if got := tree(t, other); len(got) != 0 {
		t.Errorf("left are %q", got)
	}
	b.issuer.fail = ErrChanging
	b.work()
	if got := tree(t, other); len(got) != 23 {
		t.Errorf("put back are %q", got)
	}
	b.issuer.fail = nil
	b.settle()
	b.work()
	if got := tree(t, other); len(got) != 0 {
		t.Errorf("left are %q", got)
	}
	if len(b.issuer.issued) != 20 {
		t.Errorf("issued %d, want 20", len(b.issuer.issued))
	}
	b.lies("incoming")
	b.lies("failed", "2026-06-01-m/b.pdf", "2026-06-01-m/b.pdf.reason.txt", "2026-06-01-m/rejected.csv", "2026-06-01-m/rejected.csv.reason.txt",
		"2026-06-01-n/b.pdf", "2026-06-01-n/b.pdf.reason.txt", "2026-06-01-n/rejected.csv", "2026-06-01-n/rejected.csv.reason.txt")
}

func TestAnUnmountedFolderIsTold(t *testing.T) {
	b := newBench(t)
	var told []string
	b.OnTrouble = func(trouble string) { told = append(told, trouble) }
	b.pass(0)
	b.mounted = true // as if the first look had been at another file system
	b.pass(0)
	b.pass(0)
	if len(told) != 1 || !strings.Contains(told[0], "nothing is mounted at the drop folder") {
		t.Errorf("told is %q", told)
	}
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/a.pdf", "a END")
	b.settle()
	b.work()
	b.lies("drop")
}
