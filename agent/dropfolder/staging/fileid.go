package staging

import "io/fs"

// InodeID tells files apart that follow each other under one name.
type InodeID struct {
	Device uint64 `json:"device"`
	Number uint64 `json:"inode"`
}

// FileID is what changes when a file is written to or replaced.
type FileID struct {
	Size  int64   `json:"size"`
	Time  int64   `json:"time"` // of the last change, in nanoseconds since 1970
	Inode InodeID `json:"id"`
}

// FileIDOf takes it from what the system says of a file.
func FileIDOf(info fs.FileInfo) FileID {
	return FileID{Size: info.Size(), Time: info.ModTime().UnixNano(), Inode: inodeID(info)}
}
