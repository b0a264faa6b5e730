//go:build unix

package move

import (
	"io/fs"
	"os"
	"syscall"
)

// identity tells files apart that follow each other under one name.
func identity(info fs.FileInfo) ID {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return ID{Device: uint64(st.Dev), Inode: st.Ino} //nolint:unconvert // its type differs between systems
	}
	return ID{}
}

// OpenFlags open a file without following a link or waiting for a pipe.
const OpenFlags = os.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
