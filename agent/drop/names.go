package drop

import (
	"path"
	"strings"
)

// ignored tells whether a file's name says that it is not meant for us: what
// programs keep beside a document or write while they are at it.
func ignored(name string) bool {
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

// ignoredFolder tells the same of a folder.
func ignoredFolder(name string) bool { return strings.HasPrefix(path.Base(name), ".") }

// isManifest tells whether a file's name says that it is a list of certificates,
// or one that its owner takes for such: reading it says what is wrong.
func isManifest(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods":
		return true
	}
	return false
}
