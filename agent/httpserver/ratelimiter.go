package layout

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// RateLimiter lets each caller do something so often in a span of time. It is safe for
// concurrent use.
type RateLimiter struct {
	Limit  int
	Period time.Duration

	mu     sync.Mutex
	window time.Time
	counts map[string]int
}

// maxCallers is how many callers are told apart in a span; more share one count.
const maxCallers = 100_000

// Allow counts a call of a caller, and reports whether it is not one too many.
func (p *RateLimiter) Allow(caller string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if window := now.Truncate(p.Period); !window.Equal(p.window) || p.counts == nil {
		p.window, p.counts = window, map[string]int{}
	}
	if _, known := p.counts[caller]; !known && len(p.counts) >= maxCallers {
		caller = ""
	}
	p.counts[caller]++
	return p.counts[caller] <= p.Limit
}

// Left is how long the present span of time lasts: everybody has a new count then.
func (p *RateLimiter) Left(now time.Time) time.Duration {
	return now.Truncate(p.Period).Add(p.Period).Sub(now)
}

// SetRetryAfter says when a visitor who is refused for now may try again.
func SetRetryAfter(w http.ResponseWriter, in time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((in+time.Second-1)/time.Second)))
}

// CallerKey is who makes a request, as far as its address tells: of the sixth
// version's addresses, everybody has 2^64.
func CallerKey(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	a := at.Addr().Unmap()
	if a.Is6() {
		if network, err := a.Prefix(64); err == nil {
			return network.String()
		}
	}
	return a.String()
}
