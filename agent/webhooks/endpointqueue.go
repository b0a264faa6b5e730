package webhooks

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/agent/worker"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// endpointQueue sends the deliveries to one endpoint. Of an endpoint that takes what it is
// sent, many deliveries are claimed at once, so that no time is lost; of others few, since
// each may hang until its time is over.
type endpointQueue struct {
	*Dispatcher
	lane    store.Lane
	loop    *worker.Loop[deliveryTask, store.JobResult]
	stop    context.CancelFunc
	patient context.Context // of attempts: it goes on for a while after the end

	good     bool         // whether the endpoint had taken the latest delivery at the latest claim
	taken    atomic.Bool  // whether it has taken one since the start
	failures atomic.Int64 // attempts that failed since it took one
}

// deliveryTask is a claimed delivery, with what it is signed with.
type deliveryTask struct {
	store.ClaimedJob
	keys    signingSecrets
	trusted bool // claimed with many others
}

// Sizes and times of an endpoint's queue.
const (
	workersPerEndpoint = 8   // attempts at once to one endpoint
	claimSize          = 16  // deliveries that are claimed at once
	trustedClaimSize   = 256 // the same, for an endpoint that takes them
	prefetch           = 256 // deliveries that are at hand while the next ones are claimed
	maxCommitGroup     = 256
	commitLinger       = 25 * time.Millisecond
	// drainGrace is how long attempts that are under way may go on when the end is asked
	// for; what is broken off then counts as not tried.
	drainGrace = time.Second
)

// IdleConnections is how many connections to one endpoint are worth keeping.
const IdleConnections = workersPerEndpoint

func newEndpointQueue(d *Dispatcher, e webhook.Endpoint) *endpointQueue {
	q := &endpointQueue{Dispatcher: d, lane: store.Lane{Kind: vault.JobWebhook, Institution: e.Institution, Endpoint: e.ID}}
	q.loop = worker.New(worker.Options[deliveryTask, store.JobResult]{
		Claim: q.claim, NextRun: q.nextRun, Do: q.attempt, Release: q.release, Commit: q.commit, OnError: q.reportError, Now: d.Now,
		Workers: workersPerEndpoint, Prefetch: prefetch, MaxGroup: maxCommitGroup, Linger: commitLinger,
		Idle: outboundIdlePoll, AfterError: outboundRetryDelay,
	})
	return q
}

// run delivers until ctx ends.
func (q *endpointQueue) run(ctx context.Context) {
	patient, end := worker.WithGrace(ctx, drainGrace)
	defer end()
	q.patient = patient
	q.loop.Run(ctx)
}

// trusted reports whether the endpoint takes what it is sent.
func (q *endpointQueue) trusted() bool {
	return q.failures.Load() == 0 && (q.good || q.taken.Load())
}

// full reports whether enough is claimed for now.
func (q *endpointQueue) full() bool {
	return !q.trusted() && q.loop.InFlight() >= workersPerEndpoint+claimSize
}

func (q *endpointQueue) claim(ctx context.Context) ([]deliveryTask, error) {
	if q.full() {
		return nil, nil
	}
	size, trusted := claimSize, q.trusted()
	if trusted {
		size = trustedClaimSize
	}
	jobs, err := q.store.Claim(ctx, q.lane, q.Owner, size, q.Now())
	if fault.Is(err, fault.NotFound) {
		return nil, nil // the endpoint is gone, and its queue will be stopped
	}
	if err != nil {
		return nil, fmt.Errorf("claiming deliveries: %w", err)
	}
	if len(jobs) == 0 {
		return nil, nil
	}
	to := jobs[0].Endpoint
	q.good = to.LastStatus == webhook.Success && to.Failures == 0
	tasks := make([]deliveryTask, len(jobs))
	keys, err := q.signingSecretsOf(*to)
	for i, j := range jobs {
		tasks[i] = deliveryTask{ClaimedJob: j, keys: keys, trusted: trusted}
	}
	if err != nil {
		return nil, errors.Join(err, q.releaseAll(context.WithoutCancel(ctx), tasks))
	}
	return tasks, nil
}

// nextRun is when to claim again. Where enough is claimed, that is when something of it was
// committed.
func (q *endpointQueue) nextRun(ctx context.Context) (time.Time, error) {
	if q.full() {
		return time.Time{}, nil
	}
	return q.store.NextRun(ctx, q.lane)
}

// release gives a delivery back that was not tried.
func (q *endpointQueue) release(t deliveryTask) store.JobResult {
	return store.JobResult{Job: t.Job, Delivery: t.Delivery, Release: true}
}

func (q *endpointQueue) releaseAll(ctx context.Context, tasks []deliveryTask) error {
	released := make([]store.JobResult, len(tasks))
	for i, t := range tasks {
		released[i] = q.release(t)
	}
	return q.commit(ctx, released)
}

// attempt tries one delivery. Not tried are those that waited here for so long that others
// may have them, and those of a large claim where the endpoint has turned bad since. What
// was broken off because the end was asked for counts as not tried.
func (q *endpointQueue) attempt(_ context.Context, t deliveryTask) store.JobResult {
	if !q.Now().Before(t.RunAt) || t.trusted && q.failures.Load() >= claimSize {
		return q.release(t)
	}
	a, err := q.send(q.patient, t.keys, t.Delivery.Delivery, t.Delivery.Body)
	if err != nil {
		return q.release(t)
	}
	q.note(a.OK())
	return store.JobResult{Job: t.Job, Delivery: t.Delivery, Attempt: a}
}

// note remembers how an attempt went.
func (q *endpointQueue) note(ok bool) {
	if !ok {
		q.failures.Add(1)
		return
	}
	first, recovered := !q.taken.Swap(true), q.failures.Swap(0) > 0
	if first || recovered {
		q.loop.Wake() // more may be claimed now
	}
}

// commit keeps what came of deliveries.
func (q *endpointQueue) commit(ctx context.Context, group []store.JobResult) error {
	outcomes, err := q.store.Complete(ctx, group)
	if err != nil {
		return fmt.Errorf("storing the results of deliveries: %w", err)
	}
	for i, r := range group {
		switch {
		case outcomes[i] != nil:
			q.Log.Warn("the result of a delivery could not be stored", "delivery", r.Delivery.UUID, "error", outcomes[i])
		case !r.Release && q.Metrics != nil:
			q.Metrics.CountDelivery(attemptResult(r))
		}
	}
	if q.Suspensions != nil {
		q.Suspensions.Check(ctx)
	}
	return nil
}

// attemptResult names how an attempt ended.
func attemptResult(r store.JobResult) string {
	switch _, d := webhook.ApplyAttempt(webhook.Endpoint{}, r.Delivery.Delivery, r.Attempt); d.State {
	case webhook.Delivered:
		return "delivered"
	case webhook.GivenUp:
		return "failed"
	case webhook.Pending:
	}
	return "again"
}

func (q *endpointQueue) reportError(err error) {
	q.Log.Error("webhook deliveries are held up", "endpoint", q.lane.Endpoint, "error", err)
}
