package retention

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// reasonSuffix ends the name of the file that says why another was refused.
const reasonSuffix = ".reason.txt"

// inFolder removes files below a folder, which may be missing. No link is followed.
func inFolder(folder string, remove func(context.Context, *os.Root, time.Time) (int, error)) func(context.Context, time.Time) (int, error) {
	return func(ctx context.Context, before time.Time) (int, error) {
		root, err := os.OpenRoot(folder)
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil
		}
		if err != nil {
			return 0, fsutil.DiskError(err, "looking for old files")
		}
		defer root.Close()
		n, err := remove(ctx, root, before)
		return n, fsutil.DiskError(err, "removing old files")
	}
}

// removeMails removes mails that were written as files.
func removeMails(ctx context.Context, root *os.Root, before time.Time) (int, error) {
	return removeOld(ctx, root, before, func(name string) bool { return strings.HasSuffix(name, ".eml") && !strings.Contains(name, "/") })
}

// removeOutcomes removes verified PDFs; the reports beside them stay.
func removeOutcomes(ctx context.Context, root *os.Root, before time.Time) (int, error) {
	return removeOld(ctx, root, before, func(name string) bool { return strings.HasSuffix(name, ".pdf") })
}

// removeOld removes the files that are old, of those that may go.
func removeOld(ctx context.Context, root *os.Root, before time.Time, may func(name string) bool) (removed int, err error) {
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(path.Base(name), ".") || !may(name) {
			return ignoreMissing(err)
		}
		info, err := d.Info()
		if err != nil || !info.ModTime().Before(before) {
			return ignoreMissing(err)
		}
		if err := root.Remove(name); err != nil {
			return ignoreMissing(err)
		}
		removed++
		return nil
	})
	return removed, err
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

// removeRefused removes what was refused, of all institutions.
func removeRefused(ctx context.Context, root *os.Root, before time.Time) (removed int, err error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if !e.IsDir() || !institutionFolder.MatchString(e.Name()) {
			continue
		}
		own, err := root.OpenRoot(e.Name())
		if err != nil {
			return removed, ignoreMissing(err)
		}
		n, err := removeRefusedIn(ctx, own, before)
		removed += n
		if err := errors.Join(err, own.Close()); err != nil {
			return removed, err
		}
	}
	n, err := removeRefusedIn(ctx, root, before)
	return removed + n, err
}

// removeRefusedIn removes what was refused, each with all that belongs to it: a file
// with its reason, a batch's folder as a whole. It is as old as the newest file of
// it, since a dropped file brings the time of its own making along, and somebody may
// be correcting what lies there.
func removeRefusedIn(ctx context.Context, root *os.Root, before time.Time) (removed int, err error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		name := e.Name()
		with := []string{name}
		switch {
		case ctx.Err() != nil:
			return removed, nil
		case e.IsDir() && institutionFolder.MatchString(name):
			continue
		case e.IsDir():
		case strings.HasSuffix(name, reasonSuffix):
			with = append(with, strings.TrimSuffix(name, reasonSuffix))
		default:
			continue // it goes with its reason
		}
		newest, files, err := newestOf(root, with)
		if err != nil {
			return removed, err
		}
		if files == 0 && !e.IsDir() || !newest.Before(before) {
			continue
		}
		for _, one := range with {
			if err := root.RemoveAll(one); err != nil {
				return removed, err
			}
		}
		removed += files
	}
	return removed, nil
}

// newestOf is when the newest file, or folder, of several was changed, and how many
// files there are.
func newestOf(root *os.Root, names []string) (newest time.Time, files int, err error) {
	for _, name := range names {
		err = errors.Join(err, fs.WalkDir(root.FS(), name, func(_ string, d fs.DirEntry, err error) error {
			if err != nil {
				return ignoreMissing(err)
			}
			info, err := d.Info()
			if err != nil {
				return ignoreMissing(err)
			}
			if info.ModTime().After(newest) {
				newest = info.ModTime()
			}
			if !d.IsDir() {
				files++
			}
			return nil
		}))
	}
	return newest, files, err
}
