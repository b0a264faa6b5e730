package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Events are what happened to certificates. Each is kept in the transaction of the
// change that it tells of. Numbers grow in the order in which readers may see the
// events: no reader ever gets to see an event with a smaller number than one that it
// has seen.
type Events interface {
	// Events returns a certificate's events in order of happening.
	Events(ctx context.Context, id uint64) ([]vault.Event, error)
	// EventsAfter returns up to n of an institution's events that happened after the
	// event with a number, in order, and the number to ask with next.
	EventsAfter(ctx context.Context, institution uint32, seq uint64, n int) ([]vault.Event, uint64, error)
	// LastEvent returns the number of the latest event of all institutions; 0 before
	// the first.
	LastEvent(ctx context.Context) (uint64, error)
}
