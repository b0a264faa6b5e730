//go:build !linux

package pdf

import "time"

// spent is how long some work takes.
func spent(work func()) time.Duration {
	start := time.Now()
	work()
	return time.Since(start)
}
