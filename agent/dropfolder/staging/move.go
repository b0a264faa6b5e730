package staging

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
)

// ErrChanged is about a file that is not what it was when it was looked at.
var ErrChanged = errors.New("a file changed while it was being taken")

// Move is the way of one file from one place to another.
type Move struct {
	From, To string  // whole paths; whatever lies at To is replaced
	ID       *FileID // what must lie at From; nil takes what is there
	Keep     bool    // leave the original too
}

// MoveFiles moves files: by renaming where the file system allows, else by
// copying, flushing the copy, and removing the original. Of a file that is not
// as it should be nothing is moved, and the error is ErrChanged. After an error,
// some files may have been moved.
func MoveFiles(legs []Move) error {
	var copies []Move
	for _, l := range legs {
		if err := l.check(l.From, true); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(l.To), 0o700); err != nil {
			return blob.DiskError(err, "making a folder")
		}
		moved, err := l.rename()
		if err != nil {
			return err
		}
		if !moved {
			copies = append(copies, l)
		}
	}
	return copyAll(copies)
}

// Present reports whether the file that is meant lies at From.
func (l Move) Present() bool { return l.check(l.From, true) == nil }

// check reports whether the file at a path is the one meant. A copy has an
// identity of its own.
func (l Move) check(path string, same bool) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrChanged
	}
	if err != nil {
		return blob.DiskError(err, "looking for a file")
	}
	if !info.Mode().IsRegular() || l.ID != nil && !l.ID.matches(FileIDOf(info), same) {
		return ErrChanged
	}
	return nil
}

// matches compares; same is false for a copy, which has an identity of its own.
func (s FileID) matches(now FileID, same bool) bool {
	return s.Size == now.Size && s.Time == now.Time && (s.Inode == now.Inode || !same)
}

// rename moves or, where the original stays, links the file; false when only
// copying can do it. What was swapped at the last moment goes back.
func (l Move) rename() (bool, error) {
	if l.Keep {
		// A link needs a free name.
		if err := os.Remove(l.To); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, blob.DiskError(err, "taking a file")
		}
		if os.Link(l.From, l.To) != nil {
			return false, nil
		}
	} else if os.Rename(l.From, l.To) != nil {
		return false, nil
	}
	if err := l.check(l.To, true); err != nil {
		if l.Keep {
			return true, errors.Join(err, os.Remove(l.To))
		}
		return true, errors.Join(err, os.Rename(l.To, l.From))
	}
	return true, nil
}

// copyAll copies files, makes the copies durable together, and removes the
// originals.
func copyAll(legs []Move) error {
	finished := make([]blob.Pending, 0, len(legs))
	defer func() {
		for _, f := range finished {
			_ = os.Remove(f.Temp) // those that have their name are not found
		}
	}()
	for _, l := range legs {
		temp := filepath.Join(filepath.Dir(l.To), ".copy-"+filepath.Base(l.To))
		if len(filepath.Base(temp)) > 250 {
			temp = filepath.Join(filepath.Dir(l.To), fmt.Sprintf(".copy-%d", len(finished)))
		}
		finished = append(finished, blob.Pending{Temp: temp, Name: l.To})
		if err := l.copy(temp); err != nil {
			return err
		}
	}
	if err := blob.Publish(finished); err != nil {
		return err
	}
	for _, l := range legs {
		if l.Keep {
			continue
		}
		err := l.check(l.From, true)
		if err == nil {
			err = blob.DiskError(os.Remove(l.From), "removing a file that was taken")
		}
		if err != nil {
			return errors.Join(err, os.Remove(l.To))
		}
	}
	return nil
}

func (l Move) copy(temp string) error {
	from, err := os.OpenFile(l.From, OpenFlags, 0)
	if err != nil {
		return blob.DiskError(err, "taking a file")
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return blob.DiskError(err, "taking a file")
	}
	if !info.Mode().IsRegular() || l.ID != nil && !l.ID.matches(FileIDOf(info), true) {
		return ErrChanged
	}
	to, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return blob.DiskError(err, "copying a file")
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close(), os.Chtimes(temp, time.Time{}, info.ModTime())); err != nil {
		return blob.DiskError(err, "copying a file")
	}
	after, err := from.Stat()
	if err != nil || FileIDOf(after) != FileIDOf(info) {
		return errors.Join(ErrChanged, err)
	}
	return nil
}

// PathExists reports whether anything lies at a path.
func PathExists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// FreePath is a path in a folder at which nothing lies: the name, else the name with
// a number before its extension.
func FreePath(folder, name string) string {
	ext := filepath.Ext(name)
	stem := name[:len(name)-len(ext)]
	candidate := filepath.Join(folder, name)
	for n := 2; PathExists(candidate); n++ {
		candidate = filepath.Join(folder, fmt.Sprintf("%s-%d%s", stem, n, ext))
	}
	return candidate
}

// WriteText writes a note for people.
func WriteText(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return blob.DiskError(err, "making a folder")
	}
	return blob.WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}
