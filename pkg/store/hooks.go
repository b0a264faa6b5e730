package store

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// Endpoints is what is asked of a store about webhook endpoints. With every
// certificate's event the store keeps, in the same transaction, a delivery for each
// endpoint that wants it.
type Endpoints interface {
	// AddEndpoint keeps a new endpoint, unless hook.CheckRoom refuses.
	AddEndpoint(ctx context.Context, e hook.Endpoint) error
	// ChangeEndpoint replaces an institution's endpoint by what change makes of it;
	// NotFound when the institution has none of that ID.
	ChangeEndpoint(ctx context.Context, institution uint32, id string, change func(hook.Endpoint) (hook.Endpoint, error)) (hook.Endpoint, error)
	// ChangeEndpoints replaces all endpoints of all institutions by what change makes
	// of them, in one transaction. An error of any changes none.
	ChangeEndpoints(ctx context.Context, change func(hook.Endpoint) (hook.Endpoint, error)) error
	// Endpoints lists an institution's endpoints in order of creation, or those of all
	// institutions when it is 0. Deleted ones are not among them.
	Endpoints(ctx context.Context, institution uint32) ([]hook.Endpoint, error)
}

// Due is a delivery that is to be tried, with its body.
type Due struct {
	hook.Delivery
	Body []byte
	// Version changes when the delivery does.
	Version uint32
}

// Turn is what an endpoint is to be told now.
type Turn struct {
	Endpoint hook.Endpoint
	Due      []Due
	// Next is when the next delivery beyond those is due; zero when none is waiting, or
	// the endpoint takes none.
	Next time.Time
}

// Tried is an attempt at a delivery.
type Tried struct {
	Due     // as NextTurn gave it
	Attempt hook.Attempt
}

// Backlog is what endpoints are still to be told.
type Backlog struct {
	Waiting int
	Oldest  time.Time // when the oldest of it was made; zero for none
}

// Deliveries is what is asked of a store about deliveries.
type Deliveries interface {
	// Announce keeps a delivery of news for each endpoint that wants it and was not
	// told yet.
	Announce(ctx context.Context, n hook.News, now time.Time) error
	// NextTurn returns up to n deliveries to an endpoint that are due (hook.Waits), oldest first,
	// but for those that busy says are being tried. An endpoint that takes none now has
	// none due; one that is gone is NotFound.
	NextTurn(ctx context.Context, institution uint32, endpoint string, now time.Time, n int, busy func(id uint64) bool) (Turn, error)
	// KeepAttempts commits what hook.After makes of attempts at deliveries of one
	// institution. Deliveries that are not pending any more stay as they are.
	KeepAttempts(ctx context.Context, institution uint32, tried []Tried) error
	// KeepTest keeps a delivery with the one attempt at it, as hook.AfterTest says.
	KeepTest(ctx context.Context, d hook.Delivery, body []byte, a hook.Attempt) (hook.Delivery, error)
	// Backlog counts what is still to be told to endpoints that are not deleted, of
	// all institutions, suspended endpoints' too.
	Backlog(ctx context.Context) (Backlog, error)
	// Deliveries returns up to n that a filter selects, newest first.
	Deliveries(ctx context.Context, f hook.Filter, n int) ([]hook.Delivery, error)
	// Delivery finds one by its UUID, with its body; NotFound when the institution has
	// none.
	Delivery(ctx context.Context, institution uint32, uuid string) (Due, error)
	// Redeliver asks for deliveries anew, all or none, and ends the suspension of their
	// endpoints.
	Redeliver(ctx context.Context, institution uint32, uuids []string, now time.Time) error
	// ForgetDeliveries removes up to n deliveries that ended, of all that were made
	// before a moment, and those that were waiting for an endpoint that is deleted.
	ForgetDeliveries(ctx context.Context, before time.Time, n int) (int, error)
}

// Chore is a task of a received event that is due.
type Chore struct {
	hook.Received
	Task int // its place among the event's tasks
}

// Receipts is what is asked of a store about events that others told us.
type Receipts interface {
	// Receive keeps an event with its tasks; false when its identity is known
	// already, and then nothing is changed.
	Receive(ctx context.Context, r hook.Received) (hook.Received, bool, error)
	// Received returns up to n events, newest first, with numbers below before; 0 for
	// all.
	Received(ctx context.Context, before uint64, n int) ([]hook.Received, error)
	// ForgetReceived removes up to n events of which nothing is to be done any more,
	// of all that came before a moment.
	ForgetReceived(ctx context.Context, before time.Time, n int) (int, error)
	// NextChores returns up to n tasks that are due (hook.Waits), oldest first, but for those that busy
	// says are being done, and when the next one beyond those is due.
	NextChores(ctx context.Context, now time.Time, n int, busy func(seq uint64, task int) bool) ([]Chore, time.Time, error)
	// KeepTask commits what hook.Received.AfterTask makes of a try.
	KeepTask(ctx context.Context, seq uint64, task int, failure string, now time.Time) error
}
