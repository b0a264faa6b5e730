package dropfolder

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/manifest"
)

func TestWhatIsTakenForAManifest(t *testing.T) {
	tests := map[string]bool{
		"m.csv": true, "M.CSV": true, "sub/m.xlsx": true, "m.xls": true, "m.tsv": true, "m.ods": true,
		"m.pdf": false, "csv": false, "m.txt": false, "m.csv.pdf": false,
	}
	for name, want := range tests {
		if got := isManifest(name); got != want {
			t.Errorf("%s: a manifest %v, want %v", name, got, want)
		}
	}
}

func TestWhenABatchIsReady(t *testing.T) {
	now := time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) FileObservation { return FileObservation{Since: now.Add(-d)} }
	link := FileObservation{Entry: Entry{Note: "this is a link"}, Since: now.Add(-time.Hour)}
	const settle, wait = 5 * time.Second, 10 * time.Minute
	tests := map[string]struct {
		manifest string
		since    time.Duration // age of the manifest
		seen     FileObservations
		issued   map[int]bool
		ready    bool
		takes    []string
		lost     string
	}{
		"all there":              {manifest: rows("Ann", "a.pdf"), since: settle, seen: FileObservations{"a.pdf": ago(settle)}, ready: true, takes: []string{"a.pdf"}},
		"one still arriving":     {manifest: rows("Ann", "a.pdf", "Bob", "b.pdf"), since: time.Hour, seen: FileObservations{"a.pdf": ago(time.Hour), "b.pdf": ago(time.Second)}, takes: []string{"a.pdf", "b.pdf"}},
		"one missing":            {manifest: rows("Ann", "a.pdf", "Bob", "b.pdf"), since: 9 * time.Minute, seen: FileObservations{"a.pdf": ago(9 * time.Minute)}, takes: []string{"a.pdf"}, lost: "b.pdf"},
		"missing for long":       {manifest: rows("Ann", "a.pdf", "Bob", "b.pdf"), since: wait, seen: FileObservations{"a.pdf": ago(wait)}, ready: true, takes: []string{"a.pdf"}, lost: "b.pdf"},
		"others still come":      {manifest: rows("Ann", "a.pdf", "Bob", "b.pdf"), since: time.Hour, seen: FileObservations{"a.pdf": ago(time.Minute)}, takes: []string{"a.pdf"}, lost: "b.pdf"},
		"missing but issued":     {manifest: rows("Ann", "a.pdf"), since: settle, seen: FileObservations{}, issued: map[int]bool{1: true}, ready: true},
		"in another case":        {manifest: rows("Ann", "A.PDF"), since: settle, seen: FileObservations{"a.pdf": ago(settle)}, ready: true, takes: []string{"a.pdf"}},
		"in two other cases":     {manifest: rows("Ann", "a.PDF"), since: settle, seen: FileObservations{"A.pdf": ago(settle), "a.Pdf": ago(settle)}, lost: "which may be"},
		"in another form":        {manifest: rows("Ann", "Ren\u00e9.pdf"), since: settle, seen: FileObservations{"Rene\u0301.pdf": ago(settle)}, ready: true, takes: []string{"Rene\u0301.pdf"}},
		"a link is not the file": {manifest: rows("Ann", "a.pdf"), since: wait, seen: FileObservations{"a.pdf": link}, ready: true, lost: "this is a link"},
		"two rows with one file": {manifest: rows("Ann", "a.pdf", "Bob", "a.pdf"), since: settle, seen: FileObservations{"a.pdf": ago(settle)}, ready: true, takes: []string{"a.pdf"}},
		"others do not count":    {manifest: rows("Ann", "a.pdf"), since: settle, seen: FileObservations{"a.pdf": ago(settle), "z.pdf": ago(0)}, ready: true, takes: []string{"a.pdf"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, err := manifest.Read([]byte(tt.manifest), manifest.Options{})
			if err != nil {
				t.Fatal(err)
			}
			tt.seen["m.csv"] = ago(tt.since)
			var names []string
			for name := range tt.seen {
				names = append(names, name)
			}
			slices.Sort(names)
			p := &pending{name: "m.csv", since: now.Add(-tt.since), manifest: m}
			made := p.plan(names, tt.seen, now, settle)
			made.dropIssued(tt.issued)
			if got := made.ready(now, wait); got != tt.ready {
				t.Errorf("ready %v, want %v", got, tt.ready)
			}
			var takes []string
			for _, name := range made.files {
				takes = append(takes, name)
			}
			slices.Sort(takes)
			if !slices.Equal(takes, tt.takes) {
				t.Errorf("takes %q, want %q", takes, tt.takes)
			}
			var lost string
			for _, reason := range made.lost {
				lost += reason
			}
			if (tt.lost == "") != (lost == "") || !strings.Contains(lost, tt.lost) {
				t.Errorf("lost %q, want %q", lost, tt.lost)
			}
		})
	}
}
