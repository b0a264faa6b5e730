package dropfolder

import (
	"path"
	"strings"
)

// Ignored reports whether a file's name says that it is not meant for us: what
// programs keep beside a document or write while they are at it.
func Ignored(name string) bool {
	base := strings.ToLower(path.Base(name))
	for _, prefix := range []string{".", "~$"} {
		if strings.HasPrefix(base, prefix) {
			return true
		}
	}
	switch path.Ext(base) {
	case ".part", ".crdownload", ".tmp":
		return true
	}
	return base == "thumbs.db" || base == "desktop.ini"
}

// IgnoredFolder tells the same of a folder.
func IgnoredFolder(name string) bool { return strings.HasPrefix(path.Base(name), ".") }
