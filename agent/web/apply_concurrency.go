package web

import "sync"

// callerSlots counts what is being taken in from each caller. The zero value is ready.
type callerSlots struct {
	mu    sync.Mutex
	inUse map[string]int
}

// acquire begins with something more of a caller; false means that it is one too many.
func (h *callerSlots) acquire(caller string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inUse[caller] >= maxConcurrentPerCaller {
		return false
	}
	if h.inUse == nil {
		h.inUse = map[string]int{}
	}
	h.inUse[caller]++
	return true
}

// release ends what take began.
func (h *callerSlots) release(caller string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inUse[caller]--; h.inUse[caller] == 0 {
		delete(h.inUse, caller)
	}
}
