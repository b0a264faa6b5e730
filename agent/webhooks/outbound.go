// Package webhooks delivers events to the endpoints of webhooks, and receives the
// webhooks that others send.
package webhooks

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/wake"
)

// OutboundStore is what is needed of the store.
type OutboundStore interface {
	Endpoints(ctx context.Context, institution uint32) ([]webhook.Endpoint, error)
	NextDeliveries(ctx context.Context, institution uint32, endpoint string, now time.Time, n int, busy func(id uint64) bool) (store.DeliveryBatch, error)
	RecordAttempts(ctx context.Context, institution uint32, tried []store.AttemptResult) error
}

// DispatcherOptions are what a sender needs besides the queue.
type DispatcherOptions struct {
	Client *ssrf.Client
	// Secrets decrypts signing secrets.
	Secrets SecretOpener
	// UserAgent is what requests say of who sends them.
	UserAgent string
	Now       func() time.Time
	Log       *slog.Logger
	// Observer and Metrics may be nil.
	Observer Observer
	Metrics  Metrics
}

// SecretOpener decrypts the signing secrets of endpoints. home.SecretStore is one.
type SecretOpener interface {
	Open(endpoint string, sealed []byte) (string, error)
}

// Observer is told of attempts at deliveries after they were committed. It must not block.
type Observer interface {
	Attempted(ctx context.Context)
}

// Metrics counts attempts by their result: "delivered", "failed" when the delivery was
// given up, "again" when it will be tried once more. It must not block.
type Metrics interface {
	CountDelivery(result string)
}

// Sizes and times of a lane.
const (
	workersPerEndpoint = 8  // attempts at once to one endpoint
	batchSize          = 16 // deliveries that are read at once
	fastBatchSize      = 96 // the same, for an endpoint that has taken the latest one
	prefetch           = 32 // deliveries that are at hand while the next ones are read
	maxCommitGroup     = 256
	commitLinger       = 25 * time.Millisecond
	// outboundIdlePoll bounds how late a delivery or an endpoint is seen that nobody announced.
	outboundIdlePoll = 30 * time.Second
	// outboundRetryDelay is the pause when the store fails, or a secret cannot be read.
	outboundRetryDelay = 2 * time.Second
	// drainGrace is how long attempts that are under way may go on when the end is asked
	// for; what is broken off then counts as not tried.
	drainGrace = time.Second
)

// IdleConnections is how many connections to one endpoint are worth keeping.
const IdleConnections = workersPerEndpoint

// Dispatcher delivers.
type Dispatcher struct {
	DispatcherOptions
	store OutboundStore
	wake  wake.Signal
}

// NewDispatcher makes a sender; it starts nothing.
func NewDispatcher(queue OutboundStore, o DispatcherOptions) *Dispatcher {
	return &Dispatcher{DispatcherOptions: o, store: queue, wake: wake.New()}
}

// Wake says that there may be new deliveries or endpoints.
func (s *Dispatcher) Wake() { s.wake.Notify() }

// Run delivers until ctx ends.
func (s *Dispatcher) Run(ctx context.Context) error {
	lanes := map[string]*endpointWorker{}
	var running sync.WaitGroup
	defer running.Wait()
	defer s.Client.Close()
	for ctx.Err() == nil {
		wait := outboundIdlePoll
		if all, err := s.store.Endpoints(ctx, 0); err == nil {
			s.startWorkers(ctx, &running, lanes, all)
		} else if ctx.Err() == nil {
			s.Log.Error("reading the webhook endpoints failed", "error", err)
			wait = outboundRetryDelay
		}
		s.wake.Wait(ctx, wait)
	}
	return nil
}

// startWorkers gives every endpoint its lane, ends the lanes of those that are gone, and
// wakes all others.
func (s *Dispatcher) startWorkers(ctx context.Context, running *sync.WaitGroup, lanes map[string]*endpointWorker, all []webhook.Endpoint) {
	there := map[string]bool{}
	for _, e := range all {
		there[e.ID] = true
		if l, ok := lanes[e.ID]; ok {
			l.wake.Notify()
			continue
		}
		l := newEndpointWorker(s, e)
		lanes[e.ID] = l
		mine, stop := context.WithCancel(ctx)
		l.stop = stop
		running.Go(func() { l.run(mine) })
	}
	for id, l := range lanes {
		if !there[id] {
			l.stop()
			delete(lanes, id)
		}
	}
}
