package fsutil

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// syncFileSystem flushes the file system that holds path; done is false where
// that cannot be done.
func syncFileSystem(path string) (done bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	err = unix.Syncfs(int(f.Fd()))
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return false, nil
	}
	return true, flushed(err)
}

// beginFlush has the disk begin with a part of a file, without waiting. That it
// cannot is no failure: the flush in the end is what counts.
func beginFlush(f *os.File, from, length int64) {
	_ = unix.SyncFileRange(int(f.Fd()), from, length, unix.SYNC_FILE_RANGE_WRITE)
}

// awaitFlush waits until the disk is done with what beginFlush began.
func awaitFlush(f *os.File, from, length int64) {
	if length > 0 { // none would mean the whole file
		_ = unix.SyncFileRange(int(f.Fd()), from, length, unix.SYNC_FILE_RANGE_WAIT_BEFORE)
	}
}

func syncOpen(f *os.File) error { return f.Sync() }

func isQuota(err error) bool { return errors.Is(err, syscall.EDQUOT) }
