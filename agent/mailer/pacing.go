package mailer

import (
	"sync"
	"time"
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

// rateLimit spreads mails evenly.
type rateLimit struct {
	step time.Duration // 0: no limit

	mu   sync.Mutex
	next time.Time
}

func newRateLimit(perMinute int) *rateLimit {
	if perMinute <= 0 {
		return &rateLimit{}
	}
	return &rateLimit{step: time.Minute / time.Duration(perMinute)}
}

// wait takes a turn and returns how long it is until then.
func (p *rateLimit) wait(now time.Time) time.Duration {
	if p.step == 0 {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.Before(now) {
		p.next = now
	}
	wait := p.next.Sub(now)
	p.next = p.next.Add(p.step)
	return wait
}
