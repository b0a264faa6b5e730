// Package signing signs accepted certificates: it claims their jobs, makes the
// verified PDFs, and commits how each ended.
package signing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Store is what is needed of the store.
type Store interface {
	Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error)
	Complete(ctx context.Context, settlements []store.JobResult) ([]error, error)
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
	NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error)
}

// Func makes the change that ends the processing of one certificate. A change
// of nil with an error means that the cause may pass and the work is to be
// tried again; whatever is final is a change.
type Func func(ctx context.Context, c vault.Certificate) (store.Change, error)

// Options are what a processor needs besides the queue and the work.
type Options struct {
	Workers int
	// TimeLimit is how long one document may take; 0 is DefaultLimit.
	TimeLimit time.Duration
	Now       func() time.Time
	Log       *slog.Logger
	// Rush, where set, reports whether many callers wait for something now; documents
	// then wait for a while, so that the callers have the machine.
	Busy func() bool
	// Settled, where set, is told of every certificate whose processing ended,
	// after that was committed. It must not block.
	OnSettled func(ids []uint64)
	// Trouble, where set, is told when work is held up by what is not the work's
	// fault, a full disk for one, instead of the log. It must not block.
	OnError func(error)
	// Observe, where set, is told how every attempt ended and how long it took.
	Observe func(Result, time.Duration)
}

// Result is how an attempt ended.
type Result string

// How an attempt can end.
const (
	Approved Result = "approved"
	Failed   Result = "failed"
	Retried  Result = "retried" // it will be tried again
	Held     Result = "held"    // not the document's fault; it waits
)

// Processor is the claim loop and its workers.
type Processor struct {
	Options
	store    Store
	work     Func
	wake     wake.Signal
	inFlight *inFlight
	stuck    *stuck
}

// Sizes of the pipeline. A group is what one transaction claims or settles at most.
const (
	claimGroup     = 256
	maxCommitGroup = 256
	commitLinger   = 50 * time.Millisecond
	// idlePoll bounds how late a job is seen whose moment nobody announced.
	idlePoll = 30 * time.Second
	// maxYield is how long a document gives way to callers, and glance how often it
	// looks whether they are gone.
	maxYield  = 10 * time.Second
	yieldPoll = 20 * time.Millisecond
	// retryDelay is the pause when the store fails, a full disk for one.
	retryDelay = 2 * time.Second
)

// New makes a processor; it starts nothing.
func New(queue Store, work Func, o Options) *Processor {
	if o.TimeLimit == 0 {
		o.TimeLimit = DefaultTimeLimit
	}
	return &Processor{Options: o, store: queue, work: work, wake: wake.New(), inFlight: newInFlight(), stuck: newStuck()}
}

// Wake says that there may be new jobs.
func (p *Processor) Wake() { p.wake.Notify() }

type task struct {
	job         vault.Job
	certificate vault.Certificate
}

// Run works until ctx ends. Then what is in hand is finished and settled, and
// what was claimed but not begun goes back to the queue. It ends by itself, with
// an error, when more documents hang than a process should carry along.
func (p *Processor) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p.stuck.full = func(err error) {
		p.reportError("processing has ended", err)
		stop(err)
	}
	tasks := make(chan task)
	done := make(chan store.JobResult, maxCommitGroup)
	var workers sync.WaitGroup
	for range max(p.Workers, 1) {
		workers.Go(func() {
			for t := range tasks {
				p.yieldToCallers(ctx, t.certificate)
				done <- p.attempt(ctx, t)
			}
		})
	}
	var settler sync.WaitGroup
	settler.Go(func() { p.settle(ctx, done) })
	p.claimLoop(ctx, tasks, done)
	close(tasks)
	workers.Wait()
	close(done)
	settler.Wait()
	if err := context.Cause(ctx); errors.Is(err, errTooManyStuck) {
		return err
	}
	return nil
}

// yieldToCallers holds a document back while callers hand in others. A burst is so taken
// in at once and worked on afterwards; what never ends is not a burst, and a
// document that has waited long enough waits no more.
func (p *Processor) yieldToCallers(ctx context.Context, c vault.Certificate) {
	for p.Busy != nil && p.Busy() && p.Now().Sub(c.CreatedAt) < maxYield && ctx.Err() == nil {
		wake.Sleep(ctx, yieldPoll)
	}
}

// claimLoop claims jobs and hands them to the workers until ctx ends.
func (p *Processor) claimLoop(ctx context.Context, tasks chan<- task, done chan<- store.JobResult) {
	for ctx.Err() == nil {
		claimed, err := p.claim(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			p.reportError("claiming jobs failed", err)
			p.wake.Wait(ctx, retryDelay)
		case len(claimed) == 0:
			p.waitForJobs(ctx)
		default:
			p.dispatch(ctx, claimed, tasks, done)
		}
	}
}

func (p *Processor) claim(ctx context.Context) ([]task, error) {
	jobs, err := p.store.Claim(ctx, vault.JobProcess, claimGroup, p.Now())
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	ids := make([]uint64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Certificate
	}
	// Claimed is claimed: the look-up must not be cut short.
	certificates, err := p.store.ByID(context.WithoutCancel(ctx), ids...)
	if err != nil {
		return nil, fmt.Errorf("reading claimed certificates: %w", err)
	}
	claimed := make([]task, len(jobs))
	for i := range jobs {
		claimed[i] = task{job: jobs[i], certificate: certificates[i]}
	}
	return claimed, nil
}

// dispatch gives tasks to the workers. A suspect is alone in the process while it
// is worked on.
func (p *Processor) dispatch(ctx context.Context, claimed []task, tasks chan<- task, done chan<- store.JobResult) {
	for _, t := range claimed {
		if t.job.Suspect() {
			p.inFlight.waitZero()
		}
		p.inFlight.add(1)
		select {
		case <-ctx.Done():
			done <- store.JobResult{Job: t.job.Postponed("", p.Now()), Release: true}
		case tasks <- t:
			if t.job.Suspect() {
				p.inFlight.waitZero()
			}
		}
	}
}

// waitForJobs waits until there may be work.
func (p *Processor) waitForJobs(ctx context.Context) {
	wait := idlePoll
	if next, err := p.store.NextRun(ctx, vault.JobProcess); err == nil && !next.IsZero() {
		wait = min(max(next.Sub(p.Now()), time.Millisecond), idlePoll)
	}
	p.wake.Wait(ctx, wait)
}

// attempt does the work of one job and decides what becomes of it: done, tried
// again, or failed. This is the only place that decides that.
func (p *Processor) attempt(ctx context.Context, t task) store.JobResult {
	s := store.JobResult{Job: t.job}
	if t.certificate.Status != vault.Processing {
		return s // revoked or settled meanwhile: nothing is left to do
	}
	if t.job.GivenUp() {
		s.Change = fail(vault.Failure{Code: vault.CodeCrashed,
			Reason: "processing this document ended the program several times; check the document, then retry"}, p.Now())
		return s
	}
	begun := p.Now()
	change, err := p.runLimited(ctx, t.certificate)
	s = p.settlementOf(t, change, err)
	if p.Observe != nil {
		p.Observe(resultOf(s, t.certificate), p.Now().Sub(begun))
	}
	return s
}

// settlementOf decides what an attempt's outcome means for its job.
func (p *Processor) settlementOf(t task, change store.Change, err error) store.JobResult {
	s := store.JobResult{Job: t.job}
	switch {
	case err == nil:
		s.Change = change
		return s
	case errors.Is(err, errStopped):
		s.Job, s.Release = s.Job.Postponed(err.Error(), p.Now()), true
		return s
	case fault.Is(err, fault.Full):
		p.reportError("processing is held up", err)
		s.Job, s.Release = s.Job.Postponed(err.Error(), p.Now().Add(retryDelay)), true
		return s
	}
	p.Log.Warn("processing failed", "certificate", t.certificate.UUID, "attempt", s.Job.Attempt, "error", err)
	if again, ok := s.Job.Retry(err.Error(), p.Now()); ok {
		s.Job, s.Retry = again, true
		return s
	}
	s.Change = fail(failureOf(err), p.Now())
	return s
}

// failureOf is the reason that people read when the attempts are used up.
func failureOf(err error) vault.Failure {
	if errors.Is(err, errStuck) {
		return vault.Failure{Code: vault.CodeTimeout, Reason: "processing this document did not end in time; check the document, then retry"}
	}
	return vault.Failure{Code: vault.CodeInternal,
		Reason: "processing failed repeatedly; the agent's log says why; retry when that is mended"}
}

// resultOf names what a settlement will do to a certificate.
func resultOf(s store.JobResult, c vault.Certificate) Result {
	switch {
	case s.Release:
		return Held
	case s.Retry:
		return Retried
	case s.Change == nil:
		return Held
	}
	// A change is a pure function: trying it out costs nothing and changes nothing.
	if after, _, err := s.Change(c); err != nil || after.Status != vault.Approved {
		return Failed
	}
	return Approved
}

func fail(why vault.Failure, now time.Time) store.Change {
	return func(c vault.Certificate) (vault.Certificate, vault.Effects, error) { return c.Fail(why, now) }
}

// settle commits what the workers bring, in groups: as soon as nothing else is
// in flight, or a group is full, or its first member has waited long enough.
// Nobody waits for a settlement, so gathering costs no time and saves flushes.
func (p *Processor) settle(ctx context.Context, done <-chan store.JobResult) {
	var group []store.JobResult
	linger := time.NewTimer(0)
	defer linger.Stop()
	flush := func() {
		if len(group) > 0 {
			p.commit(ctx, group)
			p.inFlight.add(-len(group))
			group = nil
		}
	}
	for {
		select {
		case s, more := <-done:
			if !more {
				flush()
				return
			}
			if group = append(group, s); len(group) == 1 {
				linger.Reset(commitLinger)
			}
			if len(group) >= maxCommitGroup || p.inFlight.equals(len(group)) {
				flush()
			}
		case <-linger.C:
			flush()
		}
	}
}

// commit settles a group. A store that fails is tried again: the work is done
// and must not be lost, and the disk may have room again soon. When ctx ends it
// is given up; the jobs are still claimed and will be done anew.
func (p *Processor) commit(ctx context.Context, group []store.JobResult) {
	outcomes, err := p.store.Complete(context.WithoutCancel(ctx), group)
	for err != nil {
		p.reportError("settling jobs failed", err)
		if ctx.Err() != nil {
			return
		}
		p.wake.Wait(ctx, retryDelay)
		outcomes, err = p.store.Complete(context.WithoutCancel(ctx), group)
	}
	ended := make([]uint64, 0, len(group))
	for i, s := range group {
		switch {
		case outcomes[i] != nil:
			p.Log.Warn("a job could not be settled", "job", s.Job.ID, "error", outcomes[i])
		case s.Retry, s.Release:
			p.Wake() // it may be due before what is being waited for
		default:
			ended = append(ended, s.Job.Certificate)
		}
	}
	if p.OnSettled != nil && len(ended) > 0 {
		p.OnSettled(ended)
	}
}

func (p *Processor) reportError(what string, err error) {
	if p.OnError == nil {
		p.Log.Error(what, "error", err)
		return
	}
	p.OnError(fmt.Errorf("%s: %w", what, err))
}
