package bolt

import (
	"sync/atomic"
	"time"
)

// clockReading is a time at which work is claimed.
type clockReading struct {
	time.Time

	// setBack says that the clock was set back, and has not reached yet what it said before:
	// work that was due then stands behind what was put off since.
	setBack bool
}

// maxPassedOver bounds what is passed over in a lane in search of what is due.
const maxPassedOver = 4096

// latestTime is the latest time that a store was told.
type latestTime struct{ nanoseconds atomic.Int64 }

// read returns a time with what it means.
func (l *latestTime) read(now time.Time) clockReading {
	const jitter = time.Second // between callers
	for {
		before, n := l.nanoseconds.Load(), now.UnixNano()
		if n < before {
			return clockReading{now, before-n > int64(jitter)}
		}
		if l.nanoseconds.CompareAndSwap(before, n) {
			return clockReading{Time: now}
		}
	}
}
