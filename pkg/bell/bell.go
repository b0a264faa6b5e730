// Package bell wakes goroutines that wait.
package bell

import (
	"context"
	"time"
)

// Bell is rung to wake whoever waits for it. Rings while nobody waits are kept as
// one. It may be rung and received from by many at a time; a nil Bell never rings.
type Bell chan struct{}

// New makes a bell that has not been rung.
func New() Bell { return make(Bell, 1) }

// Ring wakes one that waits, or the next one that would. It never blocks.
func (b Bell) Ring() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// Wait waits until the bell rings, d has passed, or ctx ends.
func (b Bell) Wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-b:
	case <-timer.C:
	}
}

// Pause waits until d has passed or ctx ends; then the error is ctx's.
func Pause(ctx context.Context, d time.Duration) error {
	Bell(nil).Wait(ctx, d)
	return ctx.Err()
}
