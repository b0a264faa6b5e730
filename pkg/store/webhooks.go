package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// Endpoints is what is asked of a store about webhook endpoints. With every
// certificate's event the store keeps, in the same transaction, a delivery for each
// endpoint that wants it.
type Endpoints interface {
	// AddEndpoint keeps a new endpoint, unless webhook.CheckLimit refuses.
	AddEndpoint(ctx context.Context, e webhook.Endpoint) error
	// ChangeEndpoint replaces an institution's endpoint by what change makes of it;
	// NotFound when the institution has none of that ID.
	ChangeEndpoint(ctx context.Context, institution uint32, id string, change func(webhook.Endpoint) (webhook.Endpoint, error)) (webhook.Endpoint, error)
	// ChangeEndpoints replaces all endpoints of all institutions by what change makes
	// of them, in one transaction. An error of any changes none.
	ChangeEndpoints(ctx context.Context, change func(webhook.Endpoint) (webhook.Endpoint, error)) error
	// Endpoints lists an institution's endpoints in order of creation, or those of all
	// institutions when it is 0. Deleted ones are not among them.
	Endpoints(ctx context.Context, institution uint32) ([]webhook.Endpoint, error)
}

// DueDelivery is a delivery that is to be tried, with its body.
type DueDelivery struct {
	webhook.Delivery
	Body []byte
	// Version changes when the delivery does.
	Version uint32
}

// DeliveryBatch is what an endpoint is to be told now.
type DeliveryBatch struct {
	Endpoint webhook.Endpoint
	Due      []DueDelivery
	// Next is when the next delivery beyond those is due; zero when none is waiting, or
	// the endpoint takes none.
	Next time.Time
}

// AttemptResult is an attempt at a delivery.
type AttemptResult struct {
	DueDelivery // as NextTurn gave it
	Attempt     webhook.Attempt
}

// Backlog is what endpoints are still to be told.
type Backlog struct {
	Waiting int
	Oldest  time.Time // when the oldest of it was made; zero for none
}

// Deliveries is what is asked of a store about deliveries.
type Deliveries interface {
	// Publish keeps a delivery of news for each endpoint that wants it and was not
	// told yet.
	Publish(ctx context.Context, n webhook.Notification, now time.Time) error
	// NextDeliveries returns up to n deliveries to an endpoint that are due (webhook.NotYetDue), oldest first,
	// but for those that busy says are being tried. An endpoint that takes none now has
	// none due; one that is gone is NotFound.
	NextDeliveries(ctx context.Context, institution uint32, endpoint string, now time.Time, n int, busy func(id uint64) bool) (DeliveryBatch, error)
	// RecordAttempts commits what webhook.ApplyAttempt makes of attempts at deliveries of one
	// institution. Deliveries that are not pending any more stay as they are.
	RecordAttempts(ctx context.Context, institution uint32, tried []AttemptResult) error
	// RecordTest keeps a delivery with the one attempt at it, as webhook.ApplyTestAttempt says.
	RecordTest(ctx context.Context, d webhook.Delivery, body []byte, a webhook.Attempt) (webhook.Delivery, error)
	// Backlog counts what is still to be told to endpoints that are not deleted, of
	// all institutions, suspended endpoints' too.
	Backlog(ctx context.Context) (Backlog, error)
	// Deliveries returns up to n that a filter selects, newest first.
	Deliveries(ctx context.Context, f webhook.Filter, n int) ([]webhook.Delivery, error)
	// Delivery finds one by its UUID, with its body; NotFound when the institution has
	// none.
	Delivery(ctx context.Context, institution uint32, uuid string) (DueDelivery, error)
	// Redeliver asks for deliveries anew, all or none, and ends the suspension of their
	// endpoints.
	Redeliver(ctx context.Context, institution uint32, uuids []string, now time.Time) error
	// DeleteOldDeliveries removes up to n deliveries that ended, of all that were made
	// before a moment, and those that were waiting for an endpoint that is deleted.
	DeleteOldDeliveries(ctx context.Context, before time.Time, n int) (int, error)
}

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
