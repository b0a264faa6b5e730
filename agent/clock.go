package agent

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// clockCheckInterval is how often the clock is compared.
const clockCheckInterval = 10 * time.Second

// lastRecorded returns when the newest event was recorded; zero where there is none.
func lastRecorded(ctx context.Context, s store.Store, institutions []uint32) (newest time.Time, err error) {
	last, err := s.LastEvent(ctx)
	if err != nil || last == 0 {
		return newest, err
	}
	for _, id := range institutions {
		found, _, err := s.EventsAfter(ctx, id, last-1, 1)
		if err != nil {
			return newest, err
		}
		if len(found) > 0 {
			newest = found[0].At
		}
	}
	return newest, nil
}

// runClock warns as long as the clock is off, until ctx ends.
func (a *Agent) runClock(ctx context.Context) error {
	tick := time.NewTicker(clockCheckInterval)
	defer tick.Stop()
	for {
		a.checkClock()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// checkClock compares the clock with the latest time that is recorded and with time stamp servers.
func (a *Agent) checkClock() {
	now, ahead := a.Now(), time.Duration(0)
	if a.timestamper != nil {
		ahead = a.timestamper.Skew()
	}
	message := vault.DescribeClock(now, a.recorded, ahead)
	if now.After(a.recorded) {
		a.recorded = now
	}
	alarm := health.Alarm{Health: a.health, Name: adminclient.ClockProblem}
	if _, before := alarm.Find(); !before && message != "" {
		a.Log.Warn(message)
	}
	show(alarm, message)
}
