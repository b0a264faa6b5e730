package process

import "sync"

// tally counts jobs that are claimed and not settled.
type tally struct {
	mu      sync.Mutex
	n       int
	changed sync.Cond
}

func newTally() *tally {
	t := &tally{}
	t.changed.L = &t.mu
	return t
}

func (t *tally) add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n += n
	t.changed.Broadcast()
}

func (t *tally) is(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n == n
}

// zero waits until none are left.
func (t *tally) zero() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.n != 0 {
		t.changed.Wait()
	}
}
