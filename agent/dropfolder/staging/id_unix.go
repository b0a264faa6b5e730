//go:build unix

package staging

import (
	"io/fs"
	"os"
	"syscall"
)

// inodeID tells files apart that follow each other under one name.
func inodeID(info fs.FileInfo) InodeID {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return InodeID{Device: uint64(st.Dev), Number: st.Ino} //nolint:unconvert // its type differs between systems
	}
	return InodeID{}
}

// OpenFlags open a file without following a link or waiting for a pipe.
const OpenFlags = os.O_RDONLY | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
