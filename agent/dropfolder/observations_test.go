package dropfolder_test

import (
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder"
	"github.com/vecctl/vecctl/agent/dropfolder/staging"
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
		if got := dropfolder.Ignored(name); got != want {
			t.Errorf("%s: ignored %v, want %v", name, got, want)
		}
	}
}

func TestAFileHasArrivedWhenItStoodStill(t *testing.T) {
	start := time.Date(2026, 6, 1, 10, 0, 0, 0, time.UTC)
	file := func(size, at int64, inode uint64) map[string]dropfolder.Entry {
		return map[string]dropfolder.Entry{"a.pdf": {FileID: staging.FileID{Size: size, Time: at, Inode: staging.InodeID{Number: inode}}}}
	}
	const settle = 5 * time.Second
	type look struct {
		after time.Duration // since the first look
		seen  map[string]dropfolder.Entry
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
		s := dropfolder.FileObservations{}
		for i, l := range looks {
			now := start.Add(l.after)
			s.Update(l.seen, now)
			one, there := s["a.pdf"]
			if got := there && one.Arrived(now, settle); got != l.want {
				t.Errorf("%s: after look %d it has arrived %v, want %v", name, i+1, got, l.want)
			}
		}
	}
}
