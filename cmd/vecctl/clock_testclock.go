//go:build testclock

package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// wallClock is the time that the file VECCTL_CLOCK says, and what has passed since it was written.
// It is in builds for tests alone, which play a year in minutes. A file that says no time ends the
// program: nothing may be issued at a time that nobody meant.
func wallClock() time.Time {
	path := os.Getenv("VECCTL_CLOCK")
	if path == "" {
		return time.Now()
	}
	text, err := os.ReadFile(path)
	if err != nil {
		panic(fmt.Sprintf("VECCTL_CLOCK: %v", err))
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	if err != nil {
		panic(fmt.Sprintf("VECCTL_CLOCK: %v", err))
	}
	info, err := os.Stat(path)
	if err != nil {
		panic(fmt.Sprintf("VECCTL_CLOCK: %v", err))
	}
	return at.Add(time.Since(info.ModTime()))
}
