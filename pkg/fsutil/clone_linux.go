package fsutil

import (
	"os"

	"golang.org/x/sys/unix"
)

// shareBlocks gives an empty file the whole blocks of the first size bytes of another, and
// returns how many bytes they are; 0 where the file system cannot share them.
func shareBlocks(dst, src *os.File, size int64) int64 {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(dst.Fd()), &fs); err != nil || fs.Bsize <= 0 {
		return 0
	}
	block := int64(fs.Bsize) //nolint:unconvert // of another type on other processors
	shared := size - size%block
	if shared == 0 {
		return 0
	}
	err := unix.IoctlFileCloneRange(int(dst.Fd()), &unix.FileCloneRange{Src_fd: int64(src.Fd()), Src_length: uint64(shared)})
	if err != nil {
		return 0
	}
	return shared
}
