package signing

import (
	"sync"
	"time"
)

// Pauses between two looks at the other vault.
const (
	firstLook = 200 * time.Millisecond
	maxLook   = 30 * time.Second
	// maxMovingLook is the longest pause while the vault is getting on.
	maxMovingLook = time.Second
	forcedLook    = 15 * time.Second
	newsPause     = 500 * time.Millisecond // between looks for webhooks
)

// looks decides when to look at the other vault: soon after something was sent or a webhook came,
// then at longer and longer pauses. Its zero value looks at once.
type looks struct {
	mu    sync.Mutex
	next  time.Time
	last  time.Time     // of the list
	pause time.Duration // before the next look
	seen  int           // certificates that the vault was processing when it was asked last
	left  int           // certificates that the vault was processing at the last one, or got since
}

// due reports whether it is time to look.
func (l *looks) due(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !now.Before(l.next)
}

func (l *looks) nextLook() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// sent notes that more was sent, or that a webhook came: the next look comes soon.
func (l *looks) sent(n int, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pause = firstLook
	l.left += n
	soon := now.Add(firstLook)
	if soonest := l.last.Add(newsPause); soonest.After(soon) {
		soon = soonest
	}
	if l.next.After(soon) {
		l.next = soon
	}
}

// worthwhile reports whether the list is to be read while the vault processes so many
// certificates: a long list is read when a good part of what it was processing is done. It is also
// read now and then, whatever the number.
func (l *looks) worthwhile(left int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	const part = 4 // a quarter has to be done
	if left <= 0 || l.left == 0 || now.Sub(l.last) >= forcedLook || left <= l.left-l.left/part-1 {
		l.left = max(left, 0)
		l.seen = l.left
		return true
	}
	if moving := left < l.seen; moving {
		l.pause = min(l.pause, maxMovingLook/2)
	}
	l.seen = left
	l.wait(now)
	return false
}

// looked notes a look at the list.
func (l *looks) looked(progress bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = now
	if progress {
		l.pause = 0
	}
	l.wait(now)
}

// wait sets the next look; the lock is held.
func (l *looks) wait(now time.Time) {
	l.pause = min(max(2*l.pause, firstLook), maxLook)
	l.next = now.Add(l.pause)
}
