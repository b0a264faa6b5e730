// Package wake wakes goroutines that wait.
package wake

import (
	"context"
	"time"
)

// Signal wakes a goroutine that waits for it. Notifications while nobody waits are kept as
// one. It is safe for use by many goroutines; a nil Signal never notifies.
type Signal chan struct{}

// New makes a signal without a notification.
func New() Signal { return make(Signal, 1) }

// Notify wakes one that waits, or the next one that would. It never blocks.
func (b Signal) Notify() {
	select {
	case b <- struct{}{}:
	default:
	}
}

// Wait waits until a notification, until d has passed, or until ctx ends.
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
