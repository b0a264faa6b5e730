package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// InboundEvents is what is asked of a store about events that others told us.
type InboundEvents interface {
	// AddInboundEvent keeps an event with its tasks; false when one of its identities is
	// known already, and then the others are remembered with the event that was kept.
	AddInboundEvent(ctx context.Context, r webhook.InboundEvent) (webhook.InboundEvent, bool, error)
	// InboundEvents returns up to n events, newest first, with numbers below before; 0 for
	// all.
	InboundEvents(ctx context.Context, before uint64, n int) ([]webhook.InboundEvent, error)
	// EraseInboundEvents takes the content out of all events that name an address, compared
	// folded, and returns how many. What was still to be done with them is not done.
	EraseInboundEvents(ctx context.Context, email string) (int, error)
	// DeleteOldInboundEvents removes up to n events of which nothing is to be done any more,
	// of all that came before a moment.
	DeleteOldInboundEvents(ctx context.Context, before time.Time, n int) (int, error)
	// OldInboundEvents says what DeleteOldInboundEvents would delete. Next is of any younger one.
	OldInboundEvents(ctx context.Context, before time.Time) (OldRecords, error)
}
