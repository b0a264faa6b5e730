package remotebulk_test

import (
	"path/filepath"
	"testing"

	"github.com/vecctl/vecctl/pkg/client/remotebulk"
	"github.com/vecctl/vecctl/pkg/fault"
)

// TestJournalOfOne keeps a second run away from a journal until the first has ended.
func TestJournalOfOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notes.jsonl")
	first, err := remotebulk.OpenJournal(path, "2026-06-01")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remotebulk.OpenJournal(path, "2026-06-02"); !fault.Is(err, fault.Locked) {
		t.Errorf("a second run: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	next, err := remotebulk.OpenJournal(path, "2026-06-02")
	if err != nil {
		t.Fatal(err)
	}
	if next.Today() != "2026-06-01" {
		t.Errorf("the first day became %s", next.Today())
	}
	if err := next.Close(); err != nil {
		t.Fatal(err)
	}
}
