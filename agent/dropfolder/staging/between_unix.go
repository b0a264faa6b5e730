//go:build unix

package staging

import (
	"os"

	"golang.org/x/sys/unix"
)

// renameBetween renames a file from one open folder to another.
func renameBetween(from *os.File, name string, to *os.File, target string) error {
	return unix.Renameat(int(from.Fd()), name, int(to.Fd()), target)
}

// linkBetween gives a file of one open folder a second name in another. A link is not
// followed.
func linkBetween(from *os.File, name string, to *os.File, target string) error {
	return unix.Linkat(int(from.Fd()), name, int(to.Fd()), target, 0)
}

// syncFolder makes the names in a folder durable.
func syncFolder(f *os.File) error { return f.Sync() }
