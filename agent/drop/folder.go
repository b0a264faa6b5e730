package drop

import (
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/vecctl/vecctl/agent/drop/move"
)

// entry is what one look shows of a name.
type entry struct {
	move.Stamp
	note string // why it cannot be used; "" for a plain file
}

// listing is one look at the folder: names are relative, with slashes.
type listing struct {
	files   map[string]entry
	folders map[string]entry // "." is the drop folder itself
}

// mostEntries bounds what one look gathers.
const mostEntries = 500_000

var errTooMany = errors.New("the folder holds more than 500,000 files; take some away")

// list looks at everything in the folder and below it. Nothing is opened but
// folders, and no link is followed.
func list(root *os.Root) (listing, error) {
	l := listing{files: map[string]entry{}, folders: map[string]entry{}}
	err := fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name == ".":
			return err
		case err != nil && d.IsDir():
			l.files[name+"/"] = entry{note: "this folder cannot be read; check its rights"}
			return fs.SkipDir
		case name != "." && d.IsDir() && ignoredFolder(name):
			return fs.SkipDir
		case !d.IsDir() && ignored(name):
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // it went between two calls
		}
		seen := entry{Stamp: move.StampOf(info)}
		if d.IsDir() {
			l.folders[name] = seen
			return nil
		}
		if !d.Type().IsRegular() {
			seen.note = describe(d.Type())
		}
		l.files[name] = seen
		if len(l.files) > mostEntries {
			return errTooMany
		}
		return nil
	})
	return l, err
}

// describe says why something that is no plain file is left alone.
func describe(t fs.FileMode) string {
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

// sighting is how long a name has shown the same.
type sighting struct {
	entry
	since time.Time // when it was first seen as it is
}

// settled tells whether nothing has changed for the settling time.
func (s sighting) settled(now time.Time, settle time.Duration) bool {
	return now.Sub(s.since) >= settle
}

// arrived tells whether it is a file that is complete as far as can be told.
func (s sighting) arrived(now time.Time, settle time.Duration) bool {
	return s.note == "" && s.settled(now, settle)
}

// sightings is what the looks so far have shown.
type sightings map[string]sighting

// update takes a new look in and tells whether anything is different.
func (s sightings) update(seen map[string]entry, now time.Time) bool {
	changed := false
	for name := range s {
		if _, there := seen[name]; !there {
			delete(s, name)
			changed = true
		}
	}
	for name, e := range seen {
		if old, known := s[name]; !known || old.entry != e {
			s[name] = sighting{entry: e, since: now}
			changed = true
		}
	}
	return changed
}

// nextSettled is the earliest moment after now at which something has settled;
// zero when everything has.
func (s sightings) nextSettled(now time.Time, settle time.Duration) time.Time {
	var next time.Time
	for _, one := range s {
		if due := one.since.Add(settle); due.After(now) && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}
