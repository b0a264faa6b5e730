package batch

import (
	"strings"
	"testing"
)

// The name becomes a folder's, on every system.
func TestBatchNames(t *testing.T) {
	t.Parallel()
	for manifest, want := range map[string]string{
		"spring.csv": "spring", "-": "stdin", "": "stdin", "/tmp/a/Spring 2026.xlsx": "Spring 2026", "été.csv": "été",
		"a<b>:c?.csv": "a_b__c_", "tab\there.csv": "tab_here", " x . .csv": "x", "no-ending": "no-ending",
		strings.Repeat("x", 59) + " and more.csv": strings.Repeat("x", 59),
		strings.Repeat("ß", 70) + ".csv":          strings.Repeat("ß", 60),
		"....csv":                                 "stdin",
	} {
		if got := batchName("2026-05-02", manifest); got != "2026-05-02-"+want {
			t.Errorf("%q: %q, want %q", manifest, got, want)
		}
	}
}
