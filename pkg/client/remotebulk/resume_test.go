package remotebulk

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/manifest"
)

// TestResumeLargeBatch resumes the largest batch whose calls were all accepted: the time
// grows with the number of rows, not with its square.
func TestResumeLargeBatch(t *testing.T) {
	t.Parallel()
	const rows, perCall = manifest.LargestMaxRows, 4
	journal := &Journal{uploads: map[int]upload{}, calls: map[string][]*bulkCall{}}
	items := make([]Item, rows)
	for i := range items {
		items[i].Number = i + 1
	}
	for first := 1; first <= rows; first += perCall {
		call := &bulkCall{Key: items[first-1].key().String() + time.Duration(first).String()}
		for n := range perCall {
			call.Rows = append(call.Rows, first+n)
		}
		journal.apply(journalEntry{Call: call})
	}
	begun := time.Now()
	for _, call := range journal.order {
		journal.apply(journalEntry{Done: call.Key, Batch: "batch", At: begun})
	}
	u := Uploader{Journal: journal, Now: time.Now}
	u.begin(items)
	u.resume()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("resuming %d rows took %v", rows, took)
	}
	for i, s := range u.state {
		if s.stage != accepted {
			t.Fatalf("row %d is at stage %d", i+1, s.stage)
		}
	}
}
