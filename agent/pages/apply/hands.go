package apply

import "sync"

// hands counts what is being taken in from each caller. The zero value is ready.
type hands struct {
	mu   sync.Mutex
	full map[string]int
}

// take begins with something more of a caller; false means that it is one too many.
func (h *hands) take(caller string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.full[caller] >= atOnceCaller {
		return false
	}
	if h.full == nil {
		h.full = map[string]int{}
	}
	h.full[caller]++
	return true
}

// give ends what take began.
func (h *hands) give(caller string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.full[caller]--; h.full[caller] == 0 {
		delete(h.full, caller)
	}
}
