package dropfolder

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// second adds an institution with a folder of its own.
func (b *bench) second(closed bool) {
	b.issuer.mu.Lock()
	defer b.issuer.mu.Unlock()
	b.issuer.owners = append(slices.Clone(b.issuer.owners[:1]), Owner{Institution: 2, Name: "School of Law", Folder: "law", Failed: filepath.Join(b.dir, "failed", "institution-2"), Closed: closed})
}

// Where there are several institutions, each issues what lies in its own folder, and what
// lies elsewhere is named and stays.
func TestEachInstitutionHasItsFolder(t *testing.T) {
	b := newBench(t)
	b.second(false)
	b.pass(0)
	b.lies("drop", "law/", "northgate/")
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.put("drop/a.pdf", "a END")
	b.put("drop/other/m.csv", "no manifest")
	b.put("drop/Law/spring/m.csv", rows("Bob", "b.pdf", "Cem", "lost.pdf"))
	b.put("drop/Law/spring/b.pdf", "b END")
	b.put("drop/northgate/n.csv", rows("Dan", "d.pdf"))
	b.put("drop/northgate/d.pdf", "d END")
	b.settle()
	b.pass(10 * time.Minute)
	b.work()
	b.settle()
	if !slices.Equal(b.issuer.issuers, []uint32{2, 1}) && !slices.Equal(b.issuer.issuers, []uint32{1, 2}) || len(b.issuer.issued) != 2 {
		t.Errorf("%q were issued by %v", b.issuer.issued, b.issuer.issuers)
	}
	for i, of := range b.issuer.issuers {
		if want := map[uint32]string{1: "d END", 2: "b END"}[of]; b.issuer.issued[i] != want {
			t.Errorf("institution %d issued %q", of, b.issuer.issued[i])
		}
	}
	if left := tree(t, filepath.Join(b.dir, "drop")); !slices.Contains(left, "northgate/") || slices.ContainsFunc(left, func(s string) bool { return strings.Contains(s, "spring") }) {
		t.Errorf("in drop lie %q", left)
	}
	b.lies("failed", "institution-2/2026-06-01-m/rejected.csv", "institution-2/2026-06-01-m/rejected.csv.reason.txt")
	for _, f := range b.Status().Waiting {
		if f.State != Unusable || !strings.Contains(f.Note, "northgate/, law/") {
			t.Errorf("%s is %s: %s", f.Name, f.State, f.Note)
		}
	}
	if own := b.Status().Of(1); own.Total != 3 || len(own.Waiting) != 3 {
		t.Errorf("the first institution sees %+v", own)
	}
}

// An institution sees its own files and those that are nobody's.
func TestStatusOfAnInstitution(t *testing.T) {
	b := newBench(t)
	b.second(false)
	b.put("drop/law/m.csv", rows("Bob", "b.pdf"))
	b.put("drop/northgate/d.pdf", "d END")
	b.put("drop/loose.pdf", "e END")
	b.settle()
	for of, want := range map[uint32][]string{1: {"loose.pdf", "northgate/d.pdf"}, 2: {"law/m.csv", "loose.pdf"}} {
		var names []string
		own := b.Status().Of(of)
		for _, f := range own.Waiting {
			names = append(names, f.Name)
		}
		if !slices.Equal(names, want) || own.Total != len(want) {
			t.Errorf("institution %d sees %q of %d", of, names, own.Total)
		}
	}
}

// What waits in the drop folder itself is nobody's any more once there is a second
// institution, even a manifest that was read before.
func TestASecondInstitutionComes(t *testing.T) {
	b := newBench(t)
	b.put("drop/m.csv", rows("Ann", "a.pdf"))
	b.settle()
	b.second(false)
	b.put("drop/a.pdf", "a END")
	b.settle()
	b.pass(time.Hour)
	b.work()
	if len(b.issuer.issued) != 0 {
		t.Errorf("%q were issued by %v", b.issuer.issued, b.issuer.issuers)
	}
	b.lies("drop", "a.pdf", "law/", "m.csv", "northgate/")
}

func TestAClosedInstitutionIssuesNothing(t *testing.T) {
	b := newBench(t)
	b.second(true)
	b.put("drop/law/m.csv", rows("Bob", "b.pdf"))
	b.put("drop/law/b.pdf", "b END")
	b.settle()
	b.work()
	if waiting := b.Status().Waiting; len(b.issuer.issued) != 0 || len(waiting) != 2 || waiting[1].Note != "not issued: School of Law is closed" {
		t.Errorf("%q were issued, and wait %+v", b.issuer.issued, waiting)
	}
}
