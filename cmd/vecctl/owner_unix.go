//go:build !windows

package main

import (
	"os"
	"strconv"
	"syscall"
)

func ownerID(path string) (id string, known bool) {
	info, err := os.Stat(path)
	if err != nil {
		return "", false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false
	}
	return strconv.FormatUint(uint64(st.Uid), 10), true
}
