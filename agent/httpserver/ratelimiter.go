package httpserver

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// RateLimiter lets each caller do something Limit times in each period. It is safe for
// concurrent use.
type RateLimiter struct {
	Limit  int
	Period time.Duration

	mu     sync.Mutex
	window time.Time
	counts map[string]int
}

// maxCallers is how many callers are told apart in a period; more share one count.
const maxCallers = 100_000

// Count counts a call of a caller; it returns the number of the caller's calls in this period,
// and when the next period begins.
func (p *RateLimiter) Count(caller string, now time.Time) (calls int, next time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	window := now.Truncate(p.Period)
	if !window.Equal(p.window) || p.counts == nil {
		p.window, p.counts = window, map[string]int{}
	}
	if _, known := p.counts[caller]; !known && len(p.counts) >= maxCallers {
		caller = ""
	}
	p.counts[caller]++
	return p.counts[caller], window.Add(p.Period)
}

// Allow counts a call of a caller, and reports whether it is within the limit.
func (p *RateLimiter) Allow(caller string, now time.Time) bool {
	calls, _ := p.Count(caller, now)
	return calls <= p.Limit
}

// Left returns how long the present period lasts: then every count begins anew.
func (p *RateLimiter) Left(now time.Time) time.Duration {
	return now.Truncate(p.Period).Add(p.Period).Sub(now)
}

// SetRetryAfter says when a visitor who is refused for now may try again.
func SetRetryAfter(w http.ResponseWriter, in time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int((in+time.Second-1)/time.Second)))
}

// CallerKey tells callers apart by their address. One caller has 2^64 addresses of IPv6, so
// those of one /64 network count as one.
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
