package frame

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Pace lets each caller do something so often in a span of time. It is safe for
// concurrent use.
type Pace struct {
	Most int
	Span time.Duration

	mu     sync.Mutex
	window time.Time
	counts map[string]int
}

// mostCallers is how many callers are told apart in a span; more share one count.
const mostCallers = 100_000

// Allow counts a call of a caller, and tells whether it is not one too many.
func (p *Pace) Allow(caller string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if window := now.Truncate(p.Span); !window.Equal(p.window) || p.counts == nil {
		p.window, p.counts = window, map[string]int{}
	}
	if _, known := p.counts[caller]; !known && len(p.counts) >= mostCallers {
		caller = ""
	}
	p.counts[caller]++
	return p.counts[caller] <= p.Most
}

// Caller is who makes a request, as far as its address tells: of the sixth
// version's addresses, everybody has 2^64.
func Caller(r *http.Request) string {
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
