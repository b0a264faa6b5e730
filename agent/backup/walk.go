package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// walk goes through files of a home. Files come and go meanwhile.
type walk struct {
	Home
	ctx  context.Context
	to   *backup.Writer
	skip []string
	// links is how deep in the home links are followed: its own folders, and templates,
	// may lie elsewhere.
	links int
}

// tree adds the files below a folder of the home under a name. The folder may be a
// link, and so may the home.
func (w walk) tree(folder, as string) error {
	root, err := filepath.EvalSymlinks(filepath.Join(w.Root, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fsutil.DiskError(err, "reading the home")
	}
	return filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if w.ctx.Err() != nil {
			return w.ctx.Err()
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return fsutil.DiskError(err, "reading the home")
		}
		below, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel := path.Join(as, filepath.ToSlash(below))
		switch {
		case slices.Contains(w.skip, rel) && d.IsDir():
			return fs.SkipDir
		case slices.Contains(w.skip, rel), w.isRebuilt(rel):
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			return w.followLink(rel)
		case !d.Type().IsRegular():
			return nil
		}
		return w.file(rel)
	})
}

// followLink adds what a link in the home leads to, unless that does not exist, or is where
// the home lies.
func (w walk) followLink(rel string) error {
	if strings.Count(rel, "/") >= w.links {
		return nil
	}
	target := filepath.Join(w.Root, filepath.FromSlash(rel))
	info, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fsutil.DiskError(err, "reading the home")
	case info.Mode().IsRegular():
		return w.file(rel)
	case !info.IsDir() || w.holdsHome(info):
		return nil
	}
	return w.tree(rel, rel)
}

// holdsHome reports whether a folder is the home, or one above it.
func (w walk) holdsHome(folder fs.FileInfo) bool {
	at, err := filepath.EvalSymlinks(w.Root)
	for err == nil {
		var info fs.FileInfo
		if info, err = os.Stat(at); err == nil && os.SameFile(info, folder) {
			return true
		}
		above := filepath.Dir(at)
		if above == at {
			return false
		}
		at = above
	}
	return false
}

// isRebuilt reports whether a file need not be kept: half-written ones, backups, the
// database as it was before an upgrade, and verified PDFs, each of which is a document
// and a record.
func (o Home) isRebuilt(name string) bool {
	base := path.Base(name)
	_, isBackup := backup.ParseName(base)
	return isBackup || strings.HasPrefix(base, ".tmp-") || strings.HasPrefix(name, o.Database+".") ||
		strings.HasPrefix(name, o.Outcomes+"/") && (strings.HasSuffix(base, ".pdf") || strings.HasSuffix(base, ".part"))
}

// smallFile is the size up to which a file is read at once, so that one that changes
// meanwhile is kept as it was at one moment.
const smallFile = 1 << 20

func (w walk) file(name string) error {
	f, err := os.Open(filepath.Join(w.Root, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fsutil.DiskError(err, "reading the home")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fsutil.DiskError(err, "reading the home")
	}
	if info.Size() > smallFile {
		return w.to.File(name, info.Size(), info.ModTime(), f)
	}
	body, err := io.ReadAll(io.LimitReader(f, smallFile))
	if err != nil {
		return fsutil.DiskError(err, "reading the home")
	}
	return w.to.File(name, int64(len(body)), info.ModTime(), bytes.NewReader(body))
}
