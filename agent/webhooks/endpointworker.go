package webhooks

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/wake"
)

// endpointWorker is one endpoint's deliveries. What is tried stays busy until its outcome is
// committed, so that it is not taken twice; and until the next turn begins, since
// one that is being read may still see how it was before.
type endpointWorker struct {
	*Dispatcher
	institution uint32
	endpoint    string
	wake        wake.Signal
	stop        context.CancelFunc

	mu        sync.Mutex
	inFlight  map[uint64]bool
	committed []uint64 // committed, but still among the busy ones
}

func newEndpointWorker(s *Dispatcher, e webhook.Endpoint) *endpointWorker {
	return &endpointWorker{Dispatcher: s, institution: e.Institution, endpoint: e.ID, wake: wake.New(), inFlight: map[uint64]bool{}}
}

// deliveryTask is a delivery in a worker's hands.
type deliveryTask struct {
	due  store.DueDelivery
	keys signingSecrets
}

// run delivers until ctx ends; then what is under way may end within the grace, and
// all outcomes are committed.
func (l *endpointWorker) run(ctx context.Context) {
	hard, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() {
		timer := time.NewTimer(drainGrace)
		defer timer.Stop()
		select {
		case <-hard.Done():
		case <-timer.C:
			cut()
		}
	})()
	tasks, done := make(chan deliveryTask, prefetch), make(chan store.AttemptResult, maxCommitGroup)
	var sending, settling sync.WaitGroup
	for range workersPerEndpoint {
		sending.Go(func() {
			for t := range tasks {
				if ctx.Err() != nil {
					continue // the next process begins with it
				}
				l.attempt(hard, t, done)
			}
		})
	}
	settling.Go(func() { l.settle(ctx, done) })
	l.loadDue(ctx, tasks)
	close(tasks)
	sending.Wait()
	close(done)
	settling.Wait()
}

// loadDue hands out what is due until ctx ends or the endpoint is gone.
func (l *endpointWorker) loadDue(ctx context.Context, tasks chan<- deliveryTask) {
	size := batchSize
	for ctx.Err() == nil {
		l.removeCommitted()
		turn, err := l.store.NextDeliveries(ctx, l.institution, l.endpoint, l.Now(), size, l.isInFlight)
		// What is in hand when an endpoint is suspended is tried all the same, so a bad one
		// gets less into the hand.
		if size = batchSize; turn.Endpoint.LastStatus == webhook.Success && turn.Endpoint.Failures == 0 {
			size = fastBatchSize
		}
		var signing signingSecrets
		if err == nil && len(turn.Due) > 0 {
			signing, err = l.signingSecretsOf(turn.Endpoint)
		}
		switch {
		case fault.Is(err, fault.NotFound):
			return
		case err != nil:
			if ctx.Err() == nil {
				l.Log.Error("webhook deliveries are held up", "endpoint", l.endpoint, "error", err)
			}
			wake.Sleep(ctx, outboundRetryDelay)
		case len(turn.Due) == 0:
			l.wake.Wait(ctx, l.untilNext(turn.Next))
		default:
			l.dispatch(ctx, turn, signing, tasks)
		}
	}
}

// untilNext is how long there is nothing to do.
func (l *endpointWorker) untilNext(next time.Time) time.Duration {
	if next.IsZero() {
		return outboundIdlePoll
	}
	return min(max(next.Sub(l.Now()), time.Millisecond), outboundIdlePoll)
}

func (l *endpointWorker) dispatch(ctx context.Context, turn store.DeliveryBatch, signing signingSecrets, tasks chan<- deliveryTask) {
	for _, due := range turn.Due {
		l.addInFlight(due.ID)
		select {
		case <-ctx.Done():
			l.markCommitted(due.ID)
			return
		case tasks <- deliveryTask{due, signing}:
		}
	}
}

// attempt tries one delivery. What was broken off because the end was asked for
// counts as not tried.
func (l *endpointWorker) attempt(ctx context.Context, t deliveryTask, done chan<- store.AttemptResult) {
	a, err := l.send(ctx, t.keys, t.due.Delivery, t.due.Body)
	if errors.Is(err, context.Canceled) {
		l.markCommitted(t.due.ID)
		return
	}
	done <- store.AttemptResult{DueDelivery: t.due, Attempt: a}
}

// settle commits outcomes in groups: as soon as nothing else is under way, or a
// group is full, or its first member has waited long enough.
func (l *endpointWorker) settle(ctx context.Context, done <-chan store.AttemptResult) {
	var group []store.AttemptResult
	linger := time.NewTimer(0)
	defer linger.Stop()
	flush := func() {
		if len(group) > 0 {
			l.commit(ctx, group)
			group = nil
		}
	}
	for {
		select {
		case one, more := <-done:
			if !more {
				flush()
				return
			}
			if group = append(group, one); len(group) == 1 {
				linger.Reset(commitLinger)
			}
			if len(group) >= maxCommitGroup || l.inFlightIs(len(group)) {
				flush()
			}
		case <-linger.C:
			flush()
		}
	}
}

// commit keeps a group's outcomes. A store that fails is tried again: the endpoint
// has been told, and must not be told again for want of a note. When ctx ends it is
// given up.
func (l *endpointWorker) commit(ctx context.Context, group []store.AttemptResult) {
	for {
		err := l.store.RecordAttempts(context.WithoutCancel(ctx), l.institution, group)
		if err == nil {
			break
		}
		l.Log.Error("webhook deliveries cannot be noted", "endpoint", l.endpoint, "error", err)
		if ctx.Err() != nil {
			break
		}
		wake.Sleep(ctx, outboundRetryDelay)
	}
	ids := make([]uint64, len(group))
	for i, one := range group {
		ids[i] = one.ID
		if l.Metrics != nil {
			l.Metrics.CountDelivery(attemptResult(one))
		}
	}
	l.markCommitted(ids...)
	l.wake.Notify() // some may be due again before what is being waited for
	if l.Observer != nil {
		l.Observer.Attempted(ctx)
	}
}

// attemptResult names how an attempt ended.
func attemptResult(one store.AttemptResult) string {
	switch _, d := webhook.ApplyAttempt(webhook.Endpoint{}, one.Delivery, one.Attempt); d.State {
	case webhook.Delivered:
		return "delivered"
	case webhook.GivenUp:
		return "failed"
	case webhook.Pending:
	}
	return "again"
}

func (l *endpointWorker) isInFlight(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight[id]
}

// inFlightIs reports whether so many are under way.
func (l *endpointWorker) inFlightIs(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.inFlight)-len(l.committed) == n
}

func (l *endpointWorker) addInFlight(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight[id] = true
}

func (l *endpointWorker) markCommitted(ids ...uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.committed = append(l.committed, ids...)
}

// removeCommitted ends the being busy of what was committed.
func (l *endpointWorker) removeCommitted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range l.committed {
		delete(l.inFlight, id)
	}
	l.committed = l.committed[:0]
}
