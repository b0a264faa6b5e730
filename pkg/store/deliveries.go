package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// Backlog is what endpoints are still to be told.
type Backlog struct {
	Waiting int
	Oldest  time.Time // when the oldest of it was made; zero for none
}

// Deliveries is what is asked of a store about deliveries.
type Deliveries interface {
	// Publish keeps a delivery of a notification for each endpoint that wants it and was not
	// told yet.
	Publish(ctx context.Context, n webhook.Notification, now time.Time) error
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
	// OldDeliveries says what DeleteOldDeliveries would delete. Next is of any younger one.
	OldDeliveries(ctx context.Context, before time.Time) (OldRecords, error)
}
