package remotebulk

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// lock takes a file for this process, for as long as it is open. False where
// another has it. What is locked is a byte far behind the end: what lies in it, others
// may read.
func lock(f *os.File) (bool, error) {
	const now = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), now, 0, 1, 0, &windows.Overlapped{OffsetHigh: 1 << 30})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}
