package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Chain is a backup in a file, with the earlier ones that it builds on.
type Chain struct {
	Path string
	// Bases are files of earlier backups; those that are not named are looked for
	// beside Path, under the names that they had.
	Bases []string
	Keys  Keys
}

// Header reads what the backup is.
func (s Chain) Header() (h Header, err error) {
	err = s.open(s.Path, func(r io.Reader) error {
		h, err = ReadHeader(r)
		return err
	})
	return h, err
}

// open hands a backup's archive on.
func (s Chain) open(path string, read func(io.Reader) error) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("there is no backup %s", path))
	}
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("the backup %s cannot be read; check its rights", path))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return fault.Newf(fault.Invalid, "%s is a folder; name the backup in it that is meant", path)
	}
	archive, err := s.Keys.Decrypt(f)
	if err == nil {
		err = read(archive)
	}
	return fault.At(path, err)
}

// Read reads the backup, then as many of the earlier ones as have documents that
// it names, and checks all of them. Visit is told of every file of the home once;
// it may be nil. The contents are the backup's own.
func (s Chain) Read(ctx context.Context, visit Visit) (Contents, error) {
	var found Contents
	err := s.open(s.Path, func(r io.Reader) (err error) {
		found, err = Read(ctx, r, visit)
		return err
	})
	if err != nil {
		return found, err
	}
	wanted := make(map[string]bool, len(found.Elsewhere))
	for _, sum := range found.Elsewhere {
		wanted[sum] = true
	}
	for h := found.Header; len(wanted) > 0; {
		if h.Since == nil {
			return found, fault.At(s.Path, fault.Newf(fault.Damaged,
				"the backup is damaged: %d documents are in none of the backups that it builds on", len(wanted)))
		}
		if h, err = s.readBase(ctx, h.Since, wanted, visit); err != nil {
			return found, err
		}
	}
	return found, nil
}

// readBase reads an earlier backup for the documents that are wanted of it.
func (s Chain) readBase(ctx context.Context, b *Base, wanted map[string]bool, visit Visit) (Header, error) {
	path, err := s.find(b)
	if err != nil {
		return Header{}, err
	}
	var found Contents
	err = s.open(path, func(r io.Reader) (err error) {
		found, err = Read(ctx, r, func(m Entry, body io.Reader) error {
			if m.Blob == "" || !wanted[m.Blob] {
				return nil
			}
			delete(wanted, m.Blob)
			if visit == nil {
				return nil
			}
			return visit(m, body)
		})
		return err
	})
	return found.Header, err
}

// find looks for an earlier backup among the files that were named, then beside
// the backup.
func (s Chain) find(b *Base) (string, error) {
	beside := filepath.Join(filepath.Dir(s.Path), b.File)
	candidates := s.Bases
	if isLocal(b.File) && filepath.Base(b.File) == b.File {
		candidates = append(slices.Clip(candidates), beside)
	}
	for _, path := range candidates {
		h, err := Chain{Path: path, Keys: s.Keys}.Header()
		if err == nil && h.ID == b.ID {
			return path, nil
		}
		if err != nil && (path != beside || !errors.Is(err, fs.ErrNotExist)) {
			return "", err
		}
	}
	return "", fault.Newf(fault.Invalid, "%s builds on the backup %s (%s), which is not there; put it beside, or name its file with --base",
		s.Path, b.File, b.ID)
}
