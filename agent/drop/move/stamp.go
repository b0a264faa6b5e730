package move

import "io/fs"

// ID tells files apart that follow each other under one name.
type ID struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// Stamp is what changes when a file is written to or replaced.
type Stamp struct {
	Size int64 `json:"size"`
	Time int64 `json:"time"` // of the last change, in nanoseconds since 1970
	ID   ID    `json:"id"`
}

// StampOf takes it from what the system says of a file.
func StampOf(info fs.FileInfo) Stamp {
	return Stamp{Size: info.Size(), Time: info.ModTime().UnixNano(), ID: identity(info)}
}
