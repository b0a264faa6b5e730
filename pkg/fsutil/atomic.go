// Package fsutil writes files so that they appear whole and durable under their names,
// removes what interrupted writers left, and says in words what a file system refused.
package fsutil

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// maxSingleFlushes is the number of files up to which each is flushed by itself. Above it one
// flush of the whole file system costs less than many of single files.
const maxSingleFlushes = 8

// Pending is a finished temporary file and the name that it is to get.
type Pending struct {
	Temp string
	Name string // in the same file system
}

// Publish gives finished temporary files their names: first their data are made
// durable, then they are renamed, then the names are made durable. After a
// crash each name holds a whole file or what it held before. Files that have their names already
// are made durable too: another process may have named them and died.
func Publish(files []Pending, named ...string) error {
	if len(files)+len(named) == 0 {
		return nil
	}
	data := slices.Clone(named)
	dirs := map[string]bool{}
	for _, f := range files {
		data = append(data, f.Temp)
		dirs[filepath.Dir(f.Name)] = true
	}
	for _, name := range named {
		dirs[filepath.Dir(name)] = true
	}
	if err := flush(data, filepath.Dir(data[0])); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Rename(f.Temp, f.Name); err != nil {
			return DiskError(err, "giving a finished file its name")
		}
	}
	names := make([]string, 0, len(dirs))
	for d := range dirs {
		names = append(names, d)
	}
	return flush(names, names[0])
}

// flush makes files or folders durable; all lie in the file system of anchor.
func flush(paths []string, anchor string) error {
	if len(paths) > maxSingleFlushes {
		done, err := syncFileSystem(anchor)
		if done || err != nil {
			return DiskError(err, "flushing files to disk")
		}
	}
	for _, p := range paths {
		if err := syncPath(p); err != nil {
			return DiskError(err, "flushing a file to disk")
		}
	}
	return nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(flushed(syncOpen(f)), f.Close())
}

// WriteFile writes a whole file with the permissions given, whatever the umask.
// A process that dies meanwhile leaves a temporary file, which RemoveTemp removes.
func WriteFile(path string, perm os.FileMode, write func(io.Writer) error) error {
	temp, err := os.CreateTemp(filepath.Dir(path), tempPrefix(path)+"*")
	if err != nil {
		return DiskError(err, "making a temporary file")
	}
	err = errors.Join(temp.Chmod(perm), write(&earlyFlusher{file: temp}), temp.Close())
	if err == nil {
		err = Publish([]Pending{{Temp: temp.Name(), Name: path}})
	}
	if err != nil {
		return errors.Join(DiskError(err, "writing "+filepath.Base(path)), discard(temp.Name()))
	}
	return nil
}

const tempMark = ".tmp-"

// tempPrefix is what the names of a file's temporary files begin with. It is of
// one length, since the file's own name may be as long as a name can be.
func tempPrefix(path string) string {
	return fmt.Sprintf(tempMark+"%08x-", crc32.ChecksumIEEE([]byte(filepath.Base(path))))
}

// ReplaceFile replaces a file that only its owner may read. Where path is a symbolic link,
// the file that it names is replaced. Nobody else may write the file meanwhile.
func ReplaceFile(path string, body []byte) error {
	if linked, err := filepath.EvalSymlinks(path); err == nil {
		path = linked
	}
	if err := RemoveTemp(path); err != nil {
		return err
	}
	return WriteFile(path, 0o600, func(w io.Writer) error {
		_, err := w.Write(body)
		return err
	})
}

// RemoveTemp removes what an interrupted WriteFile of a path left beside it. Only the
// sole writer of that file may call it.
func RemoveTemp(path string) error {
	return removeTemp(filepath.Dir(path), tempPrefix(path), time.Time{})
}

// RemoveTempIn removes what interrupted calls of WriteFile left in a folder, which
// need not exist. Only the sole writer of the folder's files may call it.
func RemoveTempIn(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return removeTemp(dir, tempMark, time.Time{})
}

// RemoveOldTempIn is RemoveTempIn where others may be writing files at the moment: what was
// written to since a moment stays.
func RemoveOldTempIn(dir string, since time.Time) error { return removeTemp(dir, tempMark, since) }

// removeTemp leaves alone what was written to since a moment, unless that is zero.
func removeTemp(dir, prefix string, since time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return DiskError(err, "looking for half-written files")
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		if info, err := e.Info(); !since.IsZero() && (err != nil || !info.ModTime().Before(since)) {
			continue
		}
		if err := discard(filepath.Join(dir, e.Name())); err != nil {
			return DiskError(err, "removing a half-written file")
		}
	}
	return nil
}

// discard removes a temporary file that may be gone already.
func discard(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// FlushFolder makes the names in a folder durable.
func FlushFolder(path string) error { return flush([]string{path}, path) }

// FlushTree makes a folder with everything in it durable.
func FlushTree(root string) error {
	if done, err := syncFileSystem(root); done || err != nil {
		return DiskError(err, "flushing files to disk")
	}
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = syncPath(path)
		}
		return DiskError(err, "flushing a file to disk")
	})
}

// RemoveFile removes a file and reports whether it was there.
func RemoveFile(path string) (bool, error) {
	switch err := os.Remove(path); {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	default:
		return false, DiskError(err, "removing a file")
	}
}
