// Package webhooks delivers events to the endpoints of webhooks, and receives the
// webhooks that others send.
package webhooks

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/wake"
)

// OutboundStore is what is needed of the store.
type OutboundStore interface {
	store.Queue
	Endpoints(ctx context.Context, institution uint32) ([]webhook.Endpoint, error)
}

// DispatcherOptions are what a dispatcher needs besides the store.
type DispatcherOptions struct {
	Client *ssrf.Client
	// Owner is who claims deliveries: another one after each start of the process.
	Owner string
	// Secrets decrypts signing secrets.
	Secrets SecretOpener
	// UserAgent is what requests say of who sends them.
	UserAgent string
	Now       func() time.Time
	Log       *slog.Logger
	// Suspensions and Metrics may be nil.
	Suspensions *SuspensionAlarm
	Metrics     Metrics
}

// SecretOpener decrypts the signing secrets of endpoints. home.SecretStore is one.
type SecretOpener interface {
	Open(endpoint string, sealed []byte) (string, error)
}

// Metrics counts attempts by their result: "delivered", "failed" when the delivery was
// given up, "again" when it will be tried once more. It must not block.
type Metrics interface {
	CountDelivery(result string)
}

// Times of all queues.
const (
	// outboundIdlePoll bounds how late a delivery or an endpoint is seen that nobody announced.
	outboundIdlePoll = 30 * time.Second
	// outboundRetryDelay is the pause when the store fails, or a secret cannot be read.
	outboundRetryDelay = 2 * time.Second
)

// Dispatcher delivers events to endpoints, to each in a queue of its own. When an attempt fails,
// webhook.ApplyAttempt decides whether and when the delivery is tried again.
type Dispatcher struct {
	DispatcherOptions
	store OutboundStore
	wake  wake.Signal
}

// NewDispatcher makes a dispatcher; it starts nothing.
func NewDispatcher(queue OutboundStore, o DispatcherOptions) *Dispatcher {
	return &Dispatcher{DispatcherOptions: o, store: queue, wake: wake.New()}
}

// Wake says that there may be new deliveries or endpoints.
func (s *Dispatcher) Wake() { s.wake.Notify() }

// Follow wakes the dispatcher whenever something was committed, until ctx ends.
func (s *Dispatcher) Follow(ctx context.Context, bus *events.Bus) error {
	news := bus.Subscribe()
	defer news.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-news.Ready():
			_, _ = news.Take() // nothing is to gather
			s.Wake()
		}
	}
}

// Run delivers until ctx ends.
func (s *Dispatcher) Run(ctx context.Context) error {
	queues := map[string]*endpointQueue{}
	var running sync.WaitGroup
	defer running.Wait()
	defer s.Client.Close()
	for ctx.Err() == nil {
		wait := outboundIdlePoll
		if all, err := s.store.Endpoints(ctx, 0); err == nil {
			s.startQueues(ctx, &running, queues, all)
		} else if ctx.Err() == nil {
			s.Log.Error("reading the webhook endpoints failed", "error", err)
			wait = outboundRetryDelay
		}
		s.wake.Wait(ctx, wait)
	}
	return nil
}

// startQueues gives every endpoint its queue, stops the queues of those that are gone, and
// wakes all others.
func (s *Dispatcher) startQueues(ctx context.Context, running *sync.WaitGroup, queues map[string]*endpointQueue, all []webhook.Endpoint) {
	there := map[string]bool{}
	for _, e := range all {
		there[e.ID] = true
		if q, ok := queues[e.ID]; ok {
			q.loop.Wake()
			continue
		}
		q := newEndpointQueue(s, e)
		queues[e.ID] = q
		mine, stop := context.WithCancel(ctx)
		q.stop = stop
		running.Go(func() { q.run(mine) })
	}
	for id, q := range queues {
		if !there[id] {
			q.stop()
			delete(queues, id)
		}
	}
}
