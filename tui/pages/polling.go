package pages

import "time"

// polling is when a page asks the agent again for what it shows.
type polling struct {
	visible bool
	reading bool          // an answer is waited for
	asked   time.Time     // for the last time
	took    time.Duration // until the last answer
}

// due reports whether the page asks again: while it is shown, one call at a time, and after a pause
// that is also ten times as long as the last answer took. Without a pause it asks at once.
func (p *polling) due(now time.Time, pause time.Duration) bool {
	const share = 10
	return p.visible && !p.reading && (pause <= 0 || now.Sub(p.asked) >= max(pause, share*p.took))
}
