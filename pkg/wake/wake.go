// Package wake wakes goroutines that wait.
package wake

import (
	"context"
	"time"
)

// Signal is rung to wake whoever waits for it. Rings while nobody waits are kept as
// one. It may be rung and received from by many at a time; a nil Bell never rings.
type Signal chan struct{}

// New makes a bell that has not been rung.
func New() Signal { return make(Signal, 1) }

// Notify wakes one that waits, or the next one that would. It never blocks.
func (b Signal) Notify() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// Wait waits until the bell rings, d has passed, or ctx ends.
func (b Signal) Wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-b:
	case <-timer.C:
	}
}

// Sleep waits until d has passed or ctx ends; then the error is ctx's.
func Sleep(ctx context.Context, d time.Duration) error {
	Signal(nil).Wait(ctx, d)
	return ctx.Err()
}

// Waker is a part that can be told that it may have something to do.
type Waker interface {
	// Wake never blocks.
	Wake()
}

// All are parts that are woken together.
type All []Waker

// Wake implements Waker.
func (all All) Wake() {
	for _, one := range all {
		one.Wake()
	}
}
