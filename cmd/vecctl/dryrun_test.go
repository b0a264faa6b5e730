package main

import (
	"reflect"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
)

// A dry run must never issue, not even what an earlier run accepted and left.
func TestADryRunLeavesWhatIsWaiting(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	manifest := s.batch(200)
	s.bulk(0, manifest, "--no-wait")
	first := s.bulk(0, manifest, "--dry-run")
	if first.Count(client.RowProcessing) == 0 {
		t.Fatalf("nothing is waiting after --no-wait: %d rows are unchanged", first.Unchanged)
	}
	if second := s.bulk(0, manifest, "--dry-run"); !reflect.DeepEqual(first, second) {
		t.Errorf("a dry run changed %d waiting rows to %d", first.Count(client.RowProcessing), second.Count(client.RowProcessing))
	}
	if last := s.bulk(0, manifest); last.Issued+last.Unchanged != 200 {
		t.Errorf("the next run leaves %d issued, %d unchanged of 200", last.Issued, last.Unchanged)
	}
}
