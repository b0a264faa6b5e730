package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// DueTask is a task of a received event that is due.
type DueTask struct {
	webhook.InboundEvent
	Task int // its place among the event's tasks
}

// InboundEvents is what is asked of a store about events that others told us.
type InboundEvents interface {
	// AddInboundEvent keeps an event with its tasks; false when its identity is known
	// already, and then nothing is changed.
	AddInboundEvent(ctx context.Context, r webhook.InboundEvent) (webhook.InboundEvent, bool, error)
	// InboundEvents returns up to n events, newest first, with numbers below before; 0 for
	// all.
	InboundEvents(ctx context.Context, before uint64, n int) ([]webhook.InboundEvent, error)
	// DeleteOldInboundEvents removes up to n events of which nothing is to be done any more,
	// of all that came before a moment.
	DeleteOldInboundEvents(ctx context.Context, before time.Time, n int) (int, error)
	// NextTasks returns up to n tasks that are due (webhook.NotYetDue), oldest first, but for those that busy
	// says are being done, and when the next one beyond those is due.
	NextTasks(ctx context.Context, now time.Time, n int, busy func(seq uint64, task int) bool) ([]DueTask, time.Time, error)
	// RecordTaskResult commits what webhook.InboundEvent.AfterTask makes of a try.
	RecordTaskResult(ctx context.Context, seq uint64, task int, failure string, now time.Time) error
}
