package drop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/drop/move"
	"github.com/vecctl/vecctl/pkg/manifest"
)

func TestWhatIsIgnored(t *testing.T) {
	tests := map[string]bool{
		"a.pdf": false, "sub/a.pdf": false, "manifest.csv": false, "part": false, "thumbs.pdf": false, "a.part.pdf": false,
		"tmp/a.pdf": false, "~a.pdf": false, "a~$.pdf": false,
		"~$manifest.xlsx": true, ".~lock.manifest.csv#": true, "sub/~$x.xlsx": true, "a.pdf.part": true, "a.PART": true,
		"a.crdownload": true, "a.tmp": true, "A.TMP": true, ".hidden.pdf": true, "sub/.DS_Store": true, "Thumbs.db": true,
		"THUMBS.DB": true, "desktop.ini": true, "sub/Desktop.ini": true,
	}
	for name, want := range tests {
		if got := ignored(name); got != want {
			t.Errorf("%s: ignored %v, want %v", name, got, want)
		}
	}
}

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

func TestAFileHasArrivedWhenItStoodStill(t *testing.T) {
	start := time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	file := func(size, at int64, inode uint64) map[string]entry {
		return map[string]entry{"a.pdf": {Stamp: move.Stamp{Size: size, Time: at, ID: move.ID{Inode: inode}}}}
	}
	const settle = 5 * time.Second
	type look struct {
		after time.Duration // since the first look
		seen  map[string]entry
		want  bool
	}
	tests := map[string][]look{
		"it stands still":    {{0, file(9, 1, 1), false}, {4999 * time.Millisecond, file(9, 1, 1), false}, {settle, file(9, 1, 1), true}},
		"it grows":           {{0, file(9, 1, 1), false}, {settle, file(10, 1, 1), false}, {2 * settle, file(10, 1, 1), true}},
		"it is written over": {{0, file(9, 1, 1), false}, {settle, file(9, 2, 1), false}, {9 * time.Second, file(9, 2, 1), false}},
		"it is replaced":     {{0, file(9, 1, 1), false}, {settle, file(9, 1, 2), false}, {2 * settle, file(9, 1, 2), true}},
		"it goes and comes":  {{0, file(9, 1, 1), false}, {3 * time.Second, nil, false}, {settle, file(9, 1, 1), false}, {2 * settle, file(9, 1, 1), true}},
		"seen late":          {{0, nil, false}, {time.Minute, file(9, 1, 1), false}, {time.Minute + settle, file(9, 1, 1), true}},
	}
	for name, looks := range tests {
		s := sightings{}
		for i, l := range looks {
			now := start.Add(l.after)
			s.update(l.seen, now)
			one, there := s["a.pdf"]
			if got := there && one.arrived(now, settle); got != l.want {
				t.Errorf("%s: after look %d it has arrived %v, want %v", name, i+1, got, l.want)
			}
		}
	}
}

func TestWhenABatchIsReady(t *testing.T) {
	now := time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) sighting { return sighting{since: now.Add(-d)} }
	link := sighting{entry: entry{note: "this is a link"}, since: now.Add(-time.Hour)}
	const settle, wait = 5 * time.Second, 10 * time.Minute
	tests := map[string]struct {
		manifest string
		since    time.Duration // age of the manifest
		seen     sightings
		issued   map[int]bool
		ready    bool
		takes    []string
		lost     string
	}{
		"all there":              {manifest: rows("Ann", "a.pdf"), since: settle, seen: sightings{"a.pdf": ago(settle)}, ready: true, takes: []string{"a.pdf"}},
		"one still arriving":     {manifest: rows("Ann", "a.pdf", "Bob", "b.pdf"), since: time.Hour, seen: sightings{"a.pdf": ago(time.Hour), "b.pdf": ago(time.Second)}, takes: []string{"a.pdf", "b.pdf"}},
		"one missing":            {manifest: rows("Ann", "a.pdf", "Bob", "b.pdf"), since: 9 * time.Minute, seen: sightings{"a.pdf": ago(9 * time.Minute)}, takes: []string{"a.pdf"}, lost: "b.pdf"},
		"missing for long":       {manifest: rows("Ann", "a.pdf", "Bob", "b.pdf"), since: wait, seen: sightings{"a.pdf": ago(wait)}, ready: true, takes: []string{"a.pdf"}, lost: "b.pdf"},
		"others still come":      {manifest: rows("Ann", "a.pdf", "Bob", "b.pdf"), since: time.Hour, seen: sightings{"a.pdf": ago(time.Minute)}, takes: []string{"a.pdf"}, lost: "b.pdf"},
		"missing but issued":     {manifest: rows("Ann", "a.pdf"), since: settle, seen: sightings{}, issued: map[int]bool{1: true}, ready: true},
		"in another case":        {manifest: rows("Ann", "A.PDF"), since: settle, seen: sightings{"a.pdf": ago(settle)}, ready: true, takes: []string{"a.pdf"}},
		"in two other cases":     {manifest: rows("Ann", "a.PDF"), since: settle, seen: sightings{"A.pdf": ago(settle), "a.Pdf": ago(settle)}, lost: "which may be"},
		"in another form":        {manifest: rows("Ann", "Ren\u00e9.pdf"), since: settle, seen: sightings{"Rene\u0301.pdf": ago(settle)}, ready: true, takes: []string{"Rene\u0301.pdf"}},
		"a link is not the file": {manifest: rows("Ann", "a.pdf"), since: wait, seen: sightings{"a.pdf": link}, ready: true, lost: "this is a link"},
		"two rows with one file": {manifest: rows("Ann", "a.pdf", "Bob", "a.pdf"), since: settle, seen: sightings{"a.pdf": ago(settle)}, ready: true, takes: []string{"a.pdf"}},
		"others do not count":    {manifest: rows("Ann", "a.pdf"), since: settle, seen: sightings{"a.pdf": ago(settle), "z.pdf": ago(0)}, ready: true, takes: []string{"a.pdf"}},
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
			made.forgive(tt.issued)
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
