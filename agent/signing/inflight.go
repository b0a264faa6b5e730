package signing

import "sync"

// inFlight counts jobs that are claimed and not settled.
type inFlight struct {
	mu      sync.Mutex
	n       int
	changed sync.Cond
}

func newInFlight() *inFlight {
	t := &inFlight{}
	t.changed.L = &t.mu
	return t
}

func (t *inFlight) add(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n += n
	t.changed.Broadcast()
}

func (t *inFlight) equals(n int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n == n
}

// waitZero waits until none are left.
func (t *inFlight) waitZero() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.n != 0 {
		t.changed.Wait()
	}
}
