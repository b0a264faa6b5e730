package main

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// scratch is a folder for a test: in memory where there is plenty of it. The
// tests kill processes and fill disks of their own, but cut no power, so that
// flushes to a real disk would cost time and show nothing.
func scratch(t testing.TB) string {
	t.Helper()
	const memory, plenty = "/dev/shm", 2 << 30
	var st unix.Statfs_t
	if err := unix.Statfs(memory, &st); err != nil || st.Bavail*uint64(st.Bsize) < plenty {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(memory, "vecctl-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing the test's folder: %v", err)
		}
	})
	return dir
}
