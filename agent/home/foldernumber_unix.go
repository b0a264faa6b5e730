//go:build unix

package home

import (
	"os"
	"strconv"
	"syscall"
)

// folderNumber tells a folder from its copies: the number that its file system gave it.
func folderNumber(path string) (number string, known bool) {
	info, err := os.Stat(path)
	if err != nil {
		return "", false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false
	}
	return strconv.FormatUint(uint64(stat.Ino), 10), true //nolint:unconvert // its type differs between systems
}
