package staging

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/vecctl/vecctl/pkg/fsutil"
)

// MoveFolder moves a folder of files to a place where others look, as a whole. Where
// there is a folder already, its files join those, the ones named last at the end;
// of these, what the new folder does not have goes from the old one too.
func MoveFolder(from, to string, last ...string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fsutil.DiskError(err, "making a folder")
	}
	there, err := pathExists(to)
	if err != nil {
		return err
	}
	if !there {
		if err := fsutil.Publish([]fsutil.Pending{{Temp: from, Name: to}}); err == nil {
			return nil
		}
		// Another file system: gathered there under a hidden name first.
		hidden := filepath.Join(filepath.Dir(to), "."+filepath.Base(to))
		if err := mergeFolders(from, hidden, last); err != nil {
			return err
		}
		return fsutil.Publish([]fsutil.Pending{{Temp: hidden, Name: to}})
	}
	var stale []string
	for _, name := range last {
		kept, err := pathExists(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if !kept {
			stale = append(stale, filepath.Join(to, name))
		}
	}
	if err := mergeFolders(from, to, last); err != nil {
		return err
	}
	for _, path := range stale {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fsutil.DiskError(err, "removing an old report")
		}
	}
	return nil
}

// pathExists reports whether anything lies at a path.
func pathExists(path string) (bool, error) {
	_, err := os.Lstat(path)
	return exists(err)
}

func mergeFolders(from, to string, last []string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return fsutil.DiskError(err, "making a folder")
	}
	source, err := os.OpenRoot(from)
	if err != nil {
		return fsutil.DiskError(err, "moving a folder")
	}
	defer source.Close()
	target, err := os.OpenRoot(to)
	if err != nil {
		return fsutil.DiskError(err, "moving a folder")
	}
	defer target.Close()
	entries, err := os.ReadDir(from)
	if err != nil {
		return fsutil.DiskError(err, "moving a folder")
	}
	slices.SortStableFunc(entries, func(a, b os.DirEntry) int {
		return slices.Index(last, a.Name()) - slices.Index(last, b.Name())
	})
	moves := make([]Move, 0, len(entries))
	for _, e := range entries {
		moves = append(moves, Move{From: Place{source, e.Name()}, To: Place{target, e.Name()}})
	}
	return MoveFiles(moves)
}
