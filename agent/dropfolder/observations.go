package dropfolder

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/vecctl/vecctl/agent/dropfolder/staging"
)

// Entry is what one look shows of a name.
type Entry struct {
	staging.FileID
	Note string // why it cannot be used; "" for a plain file
}

// Snapshot is one look at the folder: names are relative, with slashes.
type Snapshot struct {
	Files   map[string]Entry
	Folders map[string]Entry // "." is the drop folder itself
	Locked  map[string]bool  // files that a spreadsheet program has open
}

// maxEntries bounds what one look gathers.
const maxEntries = 500_000

var errTooManyFiles = errors.New("the folder holds more than 500,000 files; take some away")

// TakeSnapshot looks at everything in the folder and below it. Nothing is opened but
// folders, and no link is followed. The error is the system's, or that there are more
// than mostEntries files.
func TakeSnapshot(root *os.Root) (Snapshot, error) {
	l := Snapshot{Files: map[string]Entry{}, Folders: map[string]Entry{}, Locked: map[string]bool{}}
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil && d.IsDir():
			l.Files[name+"/"] = Entry{Note: "this folder cannot be read; check its rights"}
			return fs.SkipDir
		case name != "." && d.IsDir() && IgnoredFolder(name):
			return fs.SkipDir
		case !d.IsDir() && Ignored(name):
			if of := lockedFile(name); of != "" {
				l.Locked[of] = true
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // it went between two calls
		}
		seen := Entry{FileID: staging.FileIDOf(info)}
		if d.IsDir() {
			l.Folders[name] = seen
			return nil
		}
		if !d.Type().IsRegular() {
			seen.Note = describeFileType(d.Type())
		}
		l.Files[name] = seen
		if len(l.Files) > maxEntries {
			return errTooManyFiles
		}
		return nil
	})
	return l, err
}

// describeFileType says why something that is no plain file is left alone.
func describeFileType(t fs.FileMode) string {
	switch {
	case t&fs.ModeSymlink != 0:
		return "this is a link, which is not followed; put the file itself here"
	case t&fs.ModeNamedPipe != 0:
		return "this is a pipe, not a file"
	case t&fs.ModeDevice != 0:
		return "this is a device, not a file"
	}
	return "this is not a file"
}

// FileObservation is how long a name has shown the same.
type FileObservation struct {
	Entry
	Since time.Time // when it was first seen as it is
}

// Settled reports whether nothing has changed for the settling time.
func (s FileObservation) Settled(now time.Time, settle time.Duration) bool {
	return now.Sub(s.Since) >= settle
}

// Arrived reports whether it is a file that is complete as far as can be told.
func (s FileObservation) Arrived(now time.Time, settle time.Duration) bool {
	return s.Note == "" && s.Settled(now, settle)
}

// FileObservations is what the looks so far have shown.
type FileObservations map[string]FileObservation

// Update takes a new look in and reports whether anything is different.
func (s FileObservations) Update(seen map[string]Entry, now time.Time) bool {
	changed := false
	for name := range s {
		if _, there := seen[name]; !there {
			delete(s, name)
			changed = true
		}
	}
	for name, e := range seen {
		if old, known := s[name]; !known || old.Entry != e {
			s[name] = FileObservation{Entry: e, Since: now}
			changed = true
		}
	}
	return changed
}

// NextSettled is the earliest moment after now at which something has settled;
// zero when everything has.
func (s FileObservations) NextSettled(now time.Time, settle time.Duration) time.Time {
	var next time.Time
	for _, one := range s {
		if due := one.Since.Add(settle); due.After(now) && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}
