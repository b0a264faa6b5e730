package web

import "sync"

// callerSlots counts what is being taken in from each caller and from all. They are the
// pages' own: what comes in here takes nothing from the API. The zero value is ready.
type callerSlots struct {
	mu    sync.Mutex
	total int
	inUse map[string]int
}

// acquire begins with something more of a caller; false means that it is one too many. A
// caller has no more than are left, so that the last ones are for callers who have none.
func (h *callerSlots) acquire(caller string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.inUse[caller] >= min(maxConcurrentPerCaller, maxConcurrentTotal-h.total) {
		return false
	}
	if h.inUse == nil {
		h.inUse = map[string]int{}
	}
	h.inUse[caller]++
	h.total++
	return true
}

// release ends what acquire began.
func (h *callerSlots) release(caller string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.total--
	if h.inUse[caller]--; h.inUse[caller] == 0 {
		delete(h.inUse, caller)
	}
}
