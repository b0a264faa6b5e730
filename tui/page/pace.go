package page

import (
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/look"
)

// pace measures how fast a batch gets on, from what was told in the last seconds.
type pace struct{ steps []step }

type step struct {
	at   time.Time
	done int
}

// paceSpan is the time over which a pace is measured.
const paceSpan = 10 * time.Second

func (p *pace) add(done int, now time.Time) {
	if n := len(p.steps); n > 0 && now.Sub(p.steps[n-1].at) < paceSpan/50 {
		p.steps[n-1].done = done
		return
	}
	p.steps = append(p.steps, step{now, done})
	for len(p.steps) > 2 && now.Sub(p.steps[1].at) > paceSpan {
		p.steps = p.steps[1:]
	}
}

// rate is certificates a second; 0 where nothing moves.
func (p *pace) rate(now time.Time) float64 {
	if p == nil || len(p.steps) < 2 {
		return 0
	}
	first, last := p.steps[0], p.steps[len(p.steps)-1]
	if now.Sub(last.at) > paceSpan {
		return 0
	}
	// Silence since the last step counts too, once it is longer than usual.
	span := max(last.at.Sub(first.at), now.Sub(first.at)-time.Second)
	if span <= 0 {
		return 0
	}
	return float64(last.done-first.done) / span.Seconds()
}

// words are the rate and the time left of a batch that is being processed.
func (p *pace) words(b client.Batch, now time.Time) (rate, left string) {
	r := p.rate(now)
	if b.Status != string(vault.BatchProcessing) || r <= 0 {
		return "", ""
	}
	rate = fmt.Sprintf("%.0f/s", r)
	if r < 10 {
		rate = fmt.Sprintf("%.1f/s", r)
	}
	return rate, look.Span(time.Duration(float64(b.Processing) / r * float64(time.Second)))
}
