package staging

import (
	"os"

	"golang.org/x/sys/unix"
)

// canFlushFileSystem reports whether one call can flush many files.
const canFlushFileSystem = true

// flushFileSystem flushes the file system of an open folder.
func flushFileSystem(f *os.File) error { return unix.Syncfs(int(f.Fd())) }
