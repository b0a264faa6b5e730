package mailer

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// outage remembers that mails cannot go out at present, and for how long nobody
// is to try.
type outage struct {
	mu    sync.Mutex
	times int
	until time.Time
}

// retryDelays are how long to wait after the first failure, the second, ...; the last
// repeats.
func retryDelays() []time.Duration {
	return []time.Duration{2 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute}
}

// start notes a failure and returns how long to wait; 0 where another has just
// noted it.
func (h *outage) start(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.until) {
		return 0
	}
	all := retryDelays()
	pause := all[min(h.times, len(all)-1)]
	h.times++
	h.until = now.Add(pause)
	return pause
}

// end notes that a mail went out; it is true when that was news.
func (h *outage) end() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.times > 0
	h.times, h.until = 0, time.Time{}
	return was
}

// remaining is how long nobody is to try.
func (h *outage) remaining(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(h.until.Sub(now), 0)
}

// newLimiter spreads mails evenly over a minute; 0 is any number.
func newLimiter(perMinute int) *rate.Limiter {
	if perMinute <= 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Every(time.Minute/time.Duration(perMinute)), 1)
}
