// Package deliver tells endpoints of events: it tries what the store says is due,
// one lane for each endpoint, so that an endpoint that is slow or dead delays
// nobody else.
package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/bell"
	"github.com/vecctl/vecctl/pkg/ssrf"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// Queue is what is needed of the store.
type Queue interface {
	Endpoints(ctx context.Context, institution uint32) ([]hook.Endpoint, error)
	NextTurn(ctx context.Context, institution uint32, endpoint string, now time.Time, n int, busy func(id uint64) bool) (store.Turn, error)
	KeepAttempts(ctx context.Context, institution uint32, tried []store.Tried) error
}

// Options are what a sender needs besides the queue.
type Options struct {
	Client *ssrf.Client
	// Open decrypts a signing secret.
	Open func(endpoint string, sealed hook.Sealed) (string, error)
	// Agent is what requests say of who sends them.
	Agent string
	Now   func() time.Time
	Log   *slog.Logger
	// Ended, where set, is told of endpoints after attempts were committed. It must
	// not block.
	Ended func(context.Context)
	// Result, where set, is told how each attempt ended: "delivered", "failed" when
	// the delivery was given up, "again" when it is tried once more. It must not block.
	Result func(string)
}

// Sizes and times of a lane.
const (
	workers      = 8  // attempts at once to one endpoint
	turnSize     = 16 // deliveries that are read at once
	goodTurn     = 96 // the same, for an endpoint that has taken the latest one
	ahead        = 32 // deliveries that are at hand while the next ones are read
	settleGroup  = 256
	settleLinger = 25 * time.Millisecond
	// idlePoll bounds how late a delivery or an endpoint is seen that nobody announced.
	idlePoll = 30 * time.Second
	// afterError is the pause when the store fails, or a secret cannot be read.
	afterError = 2 * time.Second
	// grace is how long attempts that are under way may go on when the end is asked
	// for; what is broken off then counts as not tried.
	grace = time.Second
)

// Idle is how many connections to one endpoint are worth keeping.
const Idle = workers

// Sender delivers.
type Sender struct {
	Options
	queue Queue
	wake  bell.Bell
}

// New makes a sender; it starts nothing.
func New(queue Queue, o Options) *Sender {
	return &Sender{Options: o, queue: queue, wake: bell.New()}
}

// Wake says that there may be new deliveries or endpoints.
func (s *Sender) Wake() { s.wake.Ring() }

// Run delivers until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	lanes := map[string]*lane{}
	var running sync.WaitGroup
	defer running.Wait()
	defer s.Client.Close()
	for ctx.Err() == nil {
		wait := idlePoll
		if all, err := s.queue.Endpoints(ctx, 0); err == nil {
			s.open(ctx, &running, lanes, all)
		} else if ctx.Err() == nil {
			s.Log.Error("reading the webhook endpoints failed", "error", err)
			wait = afterError
		}
		s.wake.Wait(ctx, wait)
	}
	return nil
}

// open gives every endpoint its lane, ends the lanes of those that are gone, and
// wakes all others.
func (s *Sender) open(ctx context.Context, running *sync.WaitGroup, lanes map[string]*lane, all []hook.Endpoint) {
	there := map[string]bool{}
	for _, e := range all {
		there[e.ID] = true
		if l, ok := lanes[e.ID]; ok {
			l.wake.Ring()
			continue
		}
		l := newLane(s, e)
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
