package retention

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/store"
)

// reasonSuffix ends the name of the file that says why another was refused.
const reasonSuffix = ".reason.txt"

// sweep is one look at files: what is old is deleted, or only counted.
type sweep struct {
	before time.Time
	dry    bool
	found  store.OldRecords
}

// inFolder looks at files below a folder, which may be missing. No link is followed.
func (s *sweep) inFolder(ctx context.Context, folder string, look func(*sweep, context.Context, *os.Root) error) error {
	root, err := os.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fsutil.DiskError(err, "looking for old files")
	}
	defer root.Close()
	return fsutil.DiskError(look(s, ctx, root), "removing old files")
}

// mails looks at mails that were written as files.
func (s *sweep) mails(ctx context.Context, root *os.Root) error {
	return s.files(ctx, root, func(name string) bool { return strings.HasSuffix(name, ".eml") && !strings.Contains(name, "/") })
}

// outcomes looks at verified PDFs; the reports beside them stay.
func (s *sweep) outcomes(ctx context.Context, root *os.Root) error {
	return s.files(ctx, root, func(name string) bool { return strings.HasSuffix(name, ".pdf") })
}

// files removes the files that are old, of those that may go.
func (s *sweep) files(ctx context.Context, root *os.Root, may func(name string) bool) error {
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(path.Base(name), ".") || !may(name) {
			return ignoreMissing(err)
		}
		info, err := d.Info()
		if err != nil {
			return ignoreMissing(err)
		}
		if !info.ModTime().Before(s.before) {
			s.found.Later(info.ModTime())
			return nil
		}
		if !s.dry {
			if err := root.Remove(name); err != nil {
				return ignoreMissing(err)
			}
		}
		s.found.Count++
		s.found.Bytes += info.Size()
		return nil
	})
}

// ignoreMissing lets go what went between two calls.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// institutionFolder is the name of an institution's folder, which has refused files of its
// own in it.
var institutionFolder = regexp.MustCompile(`^institution-[0-9]+$`)

// refused looks at what was refused, of all institutions.
func (s *sweep) refused(ctx context.Context, root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() || !institutionFolder.MatchString(e.Name()) {
			continue
		}
		own, err := root.OpenRoot(e.Name())
		if err != nil {
			return ignoreMissing(err)
		}
		if err := errors.Join(s.refusedIn(ctx, own), own.Close()); err != nil {
			return err
		}
	}
	return s.refusedIn(ctx, root)
}

// refusedIn removes what was refused, each with all that belongs to it: a file
// with its reason, a batch's folder as a whole. It is as old as the newest file of
// it, since a dropped file brings the time of its own making along, and somebody may
// be correcting what lies there.
func (s *sweep) refusedIn(ctx context.Context, root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		with := []string{name}
		switch {
		case ctx.Err() != nil:
			return nil
		case e.IsDir() && institutionFolder.MatchString(name):
			continue
		case e.IsDir():
		case strings.HasSuffix(name, reasonSuffix):
			with = append(with, strings.TrimSuffix(name, reasonSuffix))
		default:
			continue // it goes with its reason
		}
		all, err := measure(root, with)
		if err != nil {
			return err
		}
		if all.files == 0 && !e.IsDir() {
			continue
		}
		if !all.newest.Before(s.before) {
			s.found.Later(all.newest)
			continue
		}
		for _, one := range with {
			if s.dry {
				break
			}
			if err := root.RemoveAll(one); err != nil {
				return err
			}
		}
		s.found.Count += all.files
		s.found.Bytes += all.bytes
	}
	return nil
}

// measured is what several files and folders are together.
type measured struct {
	newest time.Time // when the newest file, or folder, was changed
	files  int
	bytes  int64
}

func measure(root *os.Root, names []string) (all measured, err error) {
	for _, name := range names {
		err = errors.Join(err, fs.WalkDir(root.FS(), name, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return ignoreMissing(err)
			}
			info, err := d.Info()
			if err != nil {
				return ignoreMissing(err)
			}
			if info.ModTime().After(all.newest) {
				all.newest = info.ModTime()
			}
			if !d.IsDir() {
				all.files++
				all.bytes += info.Size()
			}
			return nil
		}))
	}
	return all, err
}

// schemaCopies removes the copies of a database that were made before upgrades.
func (s *sweep) schemaCopies(database string) error {
	copies, err := filepath.Glob(database + ".schema-*")
	if err != nil {
		return fsutil.DiskError(err, "looking for copies of the database")
	}
	for _, name := range copies {
		if err := s.file(name, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// backups removes a home's backups from their folder. The newest stays, and so does what one that
// stays builds on.
func (s *sweep) backups(folder, homeID string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fsutil.DiskError(err, "looking for old backups")
	}
	names := make([]string, len(entries))
	var young []backup.File
	for i, e := range entries {
		names[i] = e.Name()
		if k, ok := backup.ParseName(e.Name()); ok && k.HomeID == homeID && !k.At.Before(s.before) {
			young = append(young, k)
		}
	}
	for _, k := range backup.Older(names, homeID, s.before) {
		if err := s.file(filepath.Join(folder, k.Name), k.At); err != nil {
			return err
		}
	}
	for _, k := range young {
		s.found.Later(k.At)
	}
	return nil
}

// file removes one file, made at a time that is told, or else when it was changed.
func (s *sweep) file(name string, made time.Time) error {
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return fsutil.DiskError(ignoreMissing(err), "looking at an old file")
	}
	if made.IsZero() {
		made = info.ModTime()
	}
	if !made.Before(s.before) {
		s.found.Later(made)
		return nil
	}
	if !s.dry {
		if _, err := fsutil.RemoveFile(name); err != nil {
			return err
		}
	}
	s.found.Count++
	s.found.Bytes += info.Size()
	return nil
}
