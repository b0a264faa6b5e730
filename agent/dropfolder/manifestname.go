package dropfolder

import (
	"path"
	"strings"
)

// isManifest reports whether a file's name says that it is a list of certificates,
// or one that its owner takes for such: reading it says what is wrong.
func isManifest(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".ods":
		return true
	}
	return false
}
