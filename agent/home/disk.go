package home

import "github.com/vecctl/vecctl/pkg/fsutil"

// Disk is what is known of the file system that holds a folder.
type Disk struct {
	Free  uint64 // bytes that this user may still write
	Total uint64 // bytes
	Kind  string // "ext4", "nfs", ...; "" where it is not known
	// Network says that it lies on another machine.
	Network bool
}

// DiskOf looks at the file system that holds a folder.
func DiskOf(folder string) (Disk, error) {
	d, err := diskOf(folder)
	return d, fsutil.DiskError(err, "looking at the disk of "+folder)
}

// Disk looks at the home's file system.
func (d Dir) Disk() (Disk, error) { return DiskOf(string(d)) }
