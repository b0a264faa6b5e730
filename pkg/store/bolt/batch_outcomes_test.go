package bolt

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// TestOutcomesAreRemembered reads each batch once for its outcome, and again only after it
// changed.
func TestOutcomesAreRemembered(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "vault.db"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = 20
	for i := range n {
		b := vault.Batch{ID: fmt.Sprint("batch", i), Institution: 1, Name: fmt.Sprint(i), CreatedAt: time.Unix(int64(i), 0)}
		if _, err := s.OpenBatch(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	list := func(want int) {
		t.Helper()
		if _, total, err := s.BatchesIn(t.Context(), 1, []vault.BatchState{vault.BatchCompleted}, 1, 5); err != nil || total != want {
			t.Fatalf("%d %v", total, err)
		}
		if len(s.outcomes.outcomes) != n {
			t.Errorf("%d outcomes are remembered", len(s.outcomes.outcomes))
		}
	}
	list(n)
	pause := func(b vault.Batch) (vault.Batch, error) { return b.Pause(time.Unix(1, 0)) }
	if _, err := s.ChangeBatch(t.Context(), 1, "batch7", pause, nil); err != nil {
		t.Fatal(err)
	}
	if len(s.outcomes.outcomes) != n-1 {
		t.Errorf("%d outcomes are left after one batch changed", len(s.outcomes.outcomes))
	}
	list(n - 1)
	// What was read before a change is not kept after it.
	age := s.outcomes.now()
	if _, err := s.ChangeBatch(t.Context(), 1, "batch7", vault.Batch.Resume, nil); err != nil {
		t.Fatal(err)
	}
	if s.outcomes.put(string(batchNameKey(1, "batch7")), vault.BatchPaused, age); len(s.outcomes.outcomes) != n-1 {
		t.Error("an old outcome was kept")
	}
	list(n)
}
