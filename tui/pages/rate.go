package pages

import (
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/tui/ui"
)

// rateMeter measures the speed of a batch from the events of the last seconds.
type rateMeter struct{ samples []rateSample }

type rateSample struct {
	at   time.Time
	done int
}

// rateWindow is the time over which the speed is measured.
const rateWindow = 10 * time.Second

func (p *rateMeter) add(done int, now time.Time) {
	if n := len(p.samples); n > 0 && now.Sub(p.samples[n-1].at) < rateWindow/50 {
		p.samples[n-1].done = done
		return
	}
	p.samples = append(p.samples, rateSample{now, done})
	for len(p.samples) > 2 && now.Sub(p.samples[1].at) > rateWindow {
		p.samples = p.samples[1:]
	}
}

// rate returns the certificates per second; 0 if the batch does not progress.
func (p *rateMeter) rate(now time.Time) float64 {
	if p == nil || len(p.samples) < 2 {
		return 0
	}
	first, last := p.samples[0], p.samples[len(p.samples)-1]
	if now.Sub(last.at) > rateWindow {
		return 0
	}
	// The time since the last step counts, too, if it is longer than usual.
	span := max(last.at.Sub(first.at), now.Sub(first.at)-time.Second)
	if span <= 0 {
		return 0
	}
	return float64(last.done-first.done) / span.Seconds()
}

// format returns the rate and the remaining time of a batch.
func (p *rateMeter) format(b client.Batch, now time.Time) (rate, left string) {
	r := p.rate(now)
	if b.Status != string(vault.BatchProcessing) || r <= 0 {
		return "", ""
	}
	rate = fmt.Sprintf("%.0f/s", r)
	if r < 10 {
		rate = fmt.Sprintf("%.1f/s", r)
	}
	return rate, ui.FormatDuration(time.Duration(float64(b.Processing) / r * float64(time.Second)))
}
