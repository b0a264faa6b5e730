package service

import (
	"slices"
	"time"
)

// AdmitSlidingLog counts a call against a limit of n in a window, given the times (Unix
// seconds) of the calls before. It returns the times that count from now on, or how
// long to wait. Times that lie ahead, after a clock was set back, count as now.
func AdmitSlidingLog(times []int64, n int, window time.Duration, now time.Time) (kept []int64, wait time.Duration) {
	moment, length := now.Unix(), int64(window/time.Second)
	for _, t := range times {
		if t = min(t, moment); moment-t < length {
			kept = append(kept, t)
		}
	}
	slices.Sort(kept)
	if len(kept) < n {
		return append(kept, moment), 0
	}
	return nil, time.Duration(kept[len(kept)-n]+length-moment) * time.Second
}
