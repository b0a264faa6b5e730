package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

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
