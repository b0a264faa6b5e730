//go:build !linux

package fsutil

import (
	"errors"
	"os"
	"runtime"
	"syscall"
)

// syncFileSystem exists on Linux alone.
func syncFileSystem(string) (done bool, err error) { return false, nil }

// beginFlush exists on Linux alone.
func beginFlush(*os.File, int64, int64) {}

// awaitFlush exists on Linux alone.
func awaitFlush(*os.File, int64, int64) {}

// syncOpen flushes an open file. Windows has no flush of a folder and refuses
// one of a file that was opened for reading.
func syncOpen(f *os.File) error {
	err := f.Sync()
	if runtime.GOOS == "windows" && errors.Is(err, os.ErrPermission) {
		return nil
	}
	return err
}

// isQuota knows a quota that is used up, and Windows' own word for a full disk.
func isQuota(err error) bool {
	const diskFull = syscall.Errno(112)
	return errors.Is(err, syscall.EDQUOT) || runtime.GOOS == "windows" && errors.Is(err, diskFull)
}
