package dropfolder

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
)

func TestABatchIsTakenWhenAllHasArrived(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "docs/a.pdf", "Bob", "docs/b.pdf"))
	b.put("drop/docs/a.pdf", "a END")
	b.pass(0)
	b.pass(4 * time.Second)
	b.put("drop/docs/b.pdf", "b, half of")
	b.pass(2 * time.Second)
	b.put("drop/docs/b.pdf", "b, half of it, then the END")
	b.pass(4 * time.Second)
	b.pass(4 * time.Second)
	if len(b.queue) != 0 {
		t.Fatal("the batch was taken although a document was still arriving")
	}
	b.pass(time.Second)
	b.lies("drop")
	b.work()
	b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/Bob.pdf", "2026-06-01-m/report.csv")
	b.lies("incoming")
	b.lies("failed")
	if got := b.read("verified/2026-06-01-m/Bob.pdf"); got != "b, half of it, then the END" {
		t.Errorf("issued %q", got)
	}
}

func TestDocumentsMayComeLongBeforeAndAfter(t *testing.T) {
	b := newBench(t)
	b.put("drop/a.pdf", "a END")
	b.settle()
	b.pass(time.Hour)
	b.put("drop/m.csv", rows("Ann", "a.pdf", "Bob", "b.pdf", "Cem", "c.pdf"))
	b.settle()
	b.pass(9 * time.Minute)
	b.put("drop/b.pdf", "b END") // the waiting time begins anew
	b.settle()
	b.pass(9 * time.Minute)
	if len(b.queue) != 0 {
		t.Fatal("the batch did not wait for its last document")
	}
	if note := b.Status().Waiting[2].Note; !strings.Contains(note, "waits for c.pdf; at 10") && !strings.Contains(note, "waits for c.pdf; at 11") {
		t.Errorf("status says %q", note)
	}
	b.pass(time.Minute)
	b.work()
	b.lies("drop")
	b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/Bob.pdf", "2026-06-01-m/rejected.csv", "2026-06-01-m/report.csv")
	b.lies("failed", "2026-06-01-m/rejected.csv", "2026-06-01-m/rejected.csv.reason.txt")
	if got := b.read("failed/2026-06-01-m/rejected.csv"); !strings.Contains(got, `""c.pdf"", which is not there`) {
		t.Errorf("rejected.csv says %q", got)
	}
}

func TestLooseFilesAreListedAndNeverTouched(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/a.pdf", "a END")
	b.put("drop/sub/loose.pdf", "nobody names it")
	b.put("drop/~$m.xlsx", "a lock")
	b.put("drop/a.pdf.part", "half")
	if err := os.Symlink("/etc/passwd", filepath.Join(b.dir, "drop", "link.pdf")); err != nil {
		t.Skip("this system makes no links:", err)
	}
	b.settle()
	b.work()
	b.pass(time.Hour)
	b.lies("drop", "a.pdf.part", "link.pdf", "sub/loose.pdf", "~$m.xlsx")
	s := b.Status()
	if len(s.Waiting) != 2 || s.Total != 2 {
		t.Fatalf("status lists %+v", s.Waiting)
	}
	if i := s.Waiting[0]; i.Name != "link.pdf" || i.State != Unusable || !strings.Contains(i.Note, "link") {
		t.Errorf("status lists %+v", i)
	}
	if i := s.Waiting[1]; i.Name != "sub/loose.pdf" || i.State != Loose || b.Now().Sub(i.Since) != time.Hour+b.Settle {
		t.Errorf("status lists %+v", i)
	}
}

func TestWhatIsNoManifestIsRefused(t *testing.T) {
	for name, content := range map[string]string{
		"list.csv": "a,b\n1,2\n", "empty.csv": "", "picture.xlsx": "\x89PNG\r\n\x1a\n", "old.xls": "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
	} {
		b := newBench(t)
		b.put("drop/sub/"+name, content)
		b.put("failed/"+name, "an earlier one")
		b.settle()
		b.lies("drop")
		numbered := strings.Replace(name, ".", "-2.", 1)
		if got := b.read("failed/" + numbered); got != content {
			t.Errorf("%s: set aside as %q", name, got)
		}
		if got := b.read("failed/" + numbered + staging.ReasonSuffix); !strings.HasPrefix(got, name+": ") {
			t.Errorf("%s: the reason is %q", name, got)
		}
	}
}

func TestTwoManifestsMayNameOneDocument(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/n.csv", rows("Bob", "a.pdf", "Cem", "c.pdf"))
	b.put("drop/a.pdf", "a END")
	b.settle()
	b.work()
	b.lies("drop", "a.pdf", "n.csv")
	b.put("drop/c.pdf", "c END")
	b.settle()
	b.work()
	b.lies("drop")
	if !slices.Equal(b.issuer.issued, []string{"a END", "a END", "c END"}) {
		t.Errorf("issued %q", b.issuer.issued)
	}
}

func TestFoldersGoWithTheBatch(t *testing.T) {
	b := newBench(t)
	b.put("drop/law/spring/m.csv", rows("Ann", "docs/a.pdf"))
	b.put("drop/law/spring/docs/a.pdf", "a END")
	b.put("drop/law/notes.txt", "mine")
	if err := os.Mkdir(filepath.Join(b.dir, "drop", "art"), 0o700); err != nil {
		t.Fatal(err)
	}
	b.settle()
	b.work()
	b.lies("drop", "art/", "law/notes.txt")
}

func TestWhatIsRefusedCanBeMended(t *testing.T) {
	refused := func(t *testing.T) *bench {
		b := newBench(t)
		b.put("drop/m.csv", rows("Ann", "docs/a.pdf", "Bob", "docs/b.pdf", "Cem", "c.pdf"))
		b.put("drop/docs/a.pdf", "a END")
		b.put("drop/docs/b.pdf", "b, damaged")
		b.put("drop/c.pdf", "poison END")
		b.settle()
		b.work()
		b.lies("drop")
		b.lies("failed", "2026-06-01-m/c.pdf", "2026-06-01-m/c.pdf.reason.txt",
			"2026-06-01-m/docs/b.pdf", "2026-06-01-m/docs/b.pdf.reason.txt",
			"2026-06-01-m/rejected.csv", "2026-06-01-m/rejected.csv.reason.txt")
		if got := b.read("failed/2026-06-01-m/docs/b.pdf.reason.txt"); got != "row 2: not sound\n" {
			t.Errorf("the reason is %q", got)
		}
		if got := b.read("failed/2026-06-01-m/c.pdf.reason.txt"); !strings.Contains(got, "vecctl retry VEC-1") {
			t.Errorf("the reason is %q", got)
		}
		b.issuer.issued = nil
		return b
	}
	issued := func(t *testing.T, b *bench) {
		t.Helper()
		b.settle()
		b.work()
		if !slices.Equal(b.issuer.issued, []string{"b END"}) {
			t.Errorf("issued %q", b.issuer.issued)
		}
	}
	t.Run("as a folder", func(t *testing.T) {
		b := refused(t)
		b.put("failed/2026-06-01-m/docs/b.pdf", "b END")
		if err := os.Rename(filepath.Join(b.dir, "failed", "2026-06-01-m"), filepath.Join(b.dir, "drop", "again")); err != nil {
			t.Fatal(err)
		}
		issued(t, b)
		b.lies("drop", "again/c.pdf", "again/c.pdf.reason.txt")
		b.lies("failed")
	})
	t.Run("the list alone", func(t *testing.T) {
		b := refused(t)
		b.put("failed/2026-06-01-m/docs/b.pdf", "b END")
		b.put("drop/rejected.csv", b.read("failed/2026-06-01-m/rejected.csv"))
		issued(t, b)
		b.lies("drop")
		b.lies("failed", "2026-06-01-m/c.pdf", "2026-06-01-m/c.pdf.reason.txt") // which is not issued yet
	})
	t.Run("as the original, corrected", func(t *testing.T) {
		b := refused(t)
		b.put("drop/m.csv", rows("Robert", "docs/b.pdf", "Bob", "docs/b.pdf", "Eve", "e.pdf"))
		b.put("drop/docs/b.pdf", "b END")
		b.put("drop/e.pdf", "e, damaged")
		b.settle()
		b.work()
		b.lies("failed", "2026-06-01-m/c.pdf", "2026-06-01-m/c.pdf.reason.txt",
			"2026-06-01-m-2/e.pdf", "2026-06-01-m-2/e.pdf.reason.txt", "2026-06-01-m-2/rejected.csv", "2026-06-01-m-2/rejected.csv.reason.txt")
	})
	t.Run("one after the other", func(t *testing.T) {
		b := newBench(t)
		b.put("drop/m.csv", rows("Ann", "a.pdf", "Bob", "b.pdf"))
		b.put("drop/a.pdf", "a, damaged")
		b.put("drop/b.pdf", "b, damaged")
		b.settle()
		b.work()
		b.put("drop/n.csv", rows("Ann", "a.pdf"))
		b.put("drop/a.pdf", "a END")
		b.settle()
		b.work()
		b.lies("failed", "2026-06-01-m/b.pdf", "2026-06-01-m/b.pdf.reason.txt", "2026-06-01-m/rejected.csv", "2026-06-01-m/rejected.csv.reason.txt")
		if got := b.read("failed/2026-06-01-m/rejected.csv"); strings.Contains(got, "Ann") || !strings.Contains(got, "Bob,bob@example.org,2026-06-01,b.pdf,row 2: not sound") {
			t.Errorf("rejected.csv is %q", got)
		}
	})
	t.Run("not with another person's document", func(t *testing.T) {
		b := refused(t)
		b.put("drop/rejected.csv", strings.NewReplacer("Bob", "Eve", "bob", "eve").Replace(b.read("failed/2026-06-01-m/rejected.csv")))
		b.settle()
		if len(b.queue) != 0 {
			t.Error("another person's document was taken")
		}
		b.lies("drop", "rejected.csv")
	})
}

func TestAManifestWhoseRowsAreIssuedNeedsNoDocuments(t *testing.T) {
	b := newBench(t)
	b.issuer.held = map[int]bool{1: true}
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.settle()
	b.work()
	b.lies("drop")
	if got := b.read("verified/2026-06-01-m/report.csv"); got != "1,unchanged,\n" {
		t.Errorf("the report says %q", got)
	}
}

func TestASecondOutcomeJoinsTheFirst(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "a.pdf", "Bob", "b.pdf"))
	b.put("drop/a.pdf", "a END")
	b.put("drop/b.pdf", "b, damaged")
	b.settle()
	b.work()
	b.put("drop/m.csv", rows("Ann", "a.pdf", "Bob", "b.pdf"))
	b.put("drop/a.pdf", "a END")
	b.put("drop/b.pdf", "b END")
	b.settle()
	b.work()
	b.lies("drop")
	b.lies("verified", "2026-06-01-m/Ann.pdf", "2026-06-01-m/Bob.pdf", "2026-06-01-m/report.csv")
}

func TestAnOutcomeMayLieDeeper(t *testing.T) {
	b := newBench(t)
	b.issuer.below = "institution-2/"
	b.put("drop/m.csv", rows("Ann", "a.pdf", "Bob", "b.pdf"))
	b.put("drop/a.pdf", "a END")
	b.put("drop/b.pdf", "b, damaged")
	b.settle()
	b.work()
	b.lies("verified", "institution-2/2026-06-01-m/Ann.pdf", "institution-2/2026-06-01-m/rejected.csv", "institution-2/2026-06-01-m/report.csv")
	b.put("failed/institution-2-2026-06-01-m/b.pdf", "b END")
	b.put("drop/rejected.csv", b.read("failed/institution-2-2026-06-01-m/rejected.csv"))
	b.settle()
	b.work()
	b.lies("drop")
	if !slices.Equal(b.issuer.issued, []string{"a END", "b END"}) {
		t.Errorf("issued %q", b.issuer.issued)
	}
}
