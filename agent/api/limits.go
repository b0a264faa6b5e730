package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// InFlightKeys are the named calls that are being answered now. The zero value is
// ready.
type InFlightKeys[Name comparable] struct {
	mu   sync.Mutex
	keys map[Name]bool
}

// Begin notes a call; false means that one with this name is under way.
func (f *InFlightKeys[Name]) Begin(n Name) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys[n] {
		return false
	}
	if f.keys == nil {
		f.keys = map[Name]bool{}
	}
	f.keys[n] = true
	return true
}

// End forgets a call.
func (f *InFlightKeys[Name]) End(n Name) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.keys, n)
}

// checkRate counts a call of a token and refuses it when the limit is reached.
func (a *API) checkRate(w http.ResponseWriter, who Caller) error {
	most := a.rates.Limit
	if most <= 0 || who.token == nil {
		return nil
	}
	now := a.Now()
	count, next := a.rates.Count(who.token.ID, now)
	reset := strconv.Itoa(int(next.Sub(now)/time.Second) + 1)
	w.Header().Set("RateLimit-Limit", strconv.Itoa(most))
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(max(most-count, 0)))
	w.Header().Set("RateLimit-Reset", reset)
	if count <= most {
		return nil
	}
	w.Header().Set("Retry-After", reset)
	return newStatusError(http.StatusTooManyRequests, "Too Many Attempts.")
}
