//go:build !windows

package fsutil

import (
	"io/fs"
	"syscall"
)

// ownerID is the number of the user to whom a file belongs; -1 where it is not known.
func ownerID(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}
