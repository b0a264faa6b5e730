package fsutil

import (
	"fmt"
	"io"
	"os"
)

// CopyShared copies a file of size bytes into an empty one. Where the file system can let two
// files have blocks in common, they share the whole blocks, which then take space once; the
// rest is copied. A change of one file never changes the other.
//
// Only whole blocks are shared: a shared block that is then written to is replaced by a copy,
// for which XFS sets 128 KB aside.
func CopyShared(dst *os.File, src io.ReadSeeker, size int64) (int64, error) {
	from, ok := src.(*os.File)
	if !ok {
		return io.Copy(dst, src)
	}
	shared := shareBlocks(dst, from, size)
	if shared == 0 {
		return io.Copy(dst, from) // the kernel copies by itself
	}
	for _, f := range []*os.File{dst, from} {
		if _, err := f.Seek(shared, io.SeekStart); err != nil {
			return shared, fmt.Errorf("copying the end of a file: %w", err)
		}
	}
	// The kernel would share the last block too.
	n, err := io.Copy(dst, struct{ io.Reader }{from})
	return shared + n, err
}
