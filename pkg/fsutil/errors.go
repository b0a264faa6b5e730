package fsutil

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/vecctl/vecctl/pkg/fault"
)

// DiskError gives an error of the file system its kind: a full or read-only disk,
// missing rights and too many open files are for the operator to fix, the rest is
// internal.
// An error that has a kind keeps it; nil stays nil.
func DiskError(err error, doing string) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.Message(err); ok {
		return err
	}
	var path, where string
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		path, where = pe.Path, " "+pe.Path
		// What was to become a file is not what anybody looks for.
		if strings.HasPrefix(filepath.Base(path), tempMark) {
			where = " in " + filepath.Dir(path)
		}
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), isQuota(err):
		return fault.Wrap(fault.Full, err, doing+where+": the disk is full; make room, then run the same command again")
	case errors.Is(err, syscall.EROFS):
		return fault.Wrap(fault.Full, err, doing+where+": the disk is read-only; mount it writable, or name another place (another home with --home)")
	case TooManyOpenFiles(err):
		return fault.Wrap(fault.Full, err, doing+where+": too many files are open at once; raise the limit (ulimit -n), then run the same command again")
	case errors.Is(err, fs.ErrPermission):
		return fault.Wrap(fault.Full, err, doing+where+": "+DescribeDenied(path))
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// TooManyOpenFiles reports whether a file could not be opened since too many are, which says
// nothing of the file.
func TooManyOpenFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
