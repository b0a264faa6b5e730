//go:build !testclock

package main

import "time"

// wallClock is the time of day. Builds for tests can be told another one.
func wallClock() time.Time { return time.Now() }
