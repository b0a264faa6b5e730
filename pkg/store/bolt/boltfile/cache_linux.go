package boltfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropCached has the system forget what it keeps of a file in memory.
func dropCached(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) // advice: what it cannot drop it writes later
}
