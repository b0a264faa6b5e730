// Package process works on accepted certificates: it claims their jobs, makes
// the tail of each verified PDF, and settles the job together with the change.
package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/bell"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Queue is what is needed of the store.
type Queue interface {
	Claim(ctx context.Context, kind vault.JobKind, n int, now time.Time) ([]vault.Job, error)
	Settle(ctx context.Context, settlements []store.Settlement) ([]error, error)
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
	NextRun(ctx context.Context, kind vault.JobKind) (time.Time, error)
}

// Work makes the change that ends the processing of one certificate. A change
// of nil with an error means that the cause may pass and the work is to be
// tried again; whatever is final is a change.
type Work func(ctx context.Context, c vault.Certificate) (store.Change, error)

// Options are what a processor needs besides the queue and the work.
type Options struct {
	Workers int
	// Limit is how long one document may take; 0 is DefaultLimit.
	Limit time.Duration
	Now   func() time.Time
	Log   *slog.Logger
	// Rush, where set, tells whether many callers wait for something now; documents
	// then wait for a while, so that the callers have the machine.
	Rush func() bool
	// Settled, where set, is told of every certificate whose processing ended,
	// after that was committed. It must not block.
	Settled func(ids []uint64)
	// Trouble, where set, is told when work is held up by what is not the work's
	// fault, a full disk for one, instead of the log. It must not block.
	Trouble func(error)
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
	queue    Queue
	work     Work
	wake     bell.Bell
	inFlight *tally
	hung     *hung
}

// Sizes of the pipeline. A group is what one transaction claims or settles at most.
const (
	claimGroup   = 256
	settleGroup  = 256
	settleLinger = 50 * time.Millisecond
	// idlePoll bounds how late a job is seen whose moment nobody announced.
	idlePoll = 30 * time.Second
	// patience is how long a document gives way to callers, and glance how often it
	// looks whether they are gone.
	patience = 10 * time.Second
	glance   = 20 * time.Millisecond
	// afterError is the pause when the store fails, a full disk for one.
	afterError = 2 * time.Second
)

// New makes a processor; it starts nothing.
func New(queue Queue, work Work, o Options) *Processor {
	if o.Limit == 0 {
		o.Limit = DefaultLimit
	}
	return &Processor{Options: o, queue: queue, work: work, wake: bell.New(), inFlight: newTally(), hung: newHung()}
}

// Wake says that there may be new jobs.
func (p *Processor) Wake() { p.wake.Ring() }

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
	p.hung.full = func(err error) {
		p.trouble("processing has ended", err)
		stop(err)
	}
	tasks := make(chan task)
	done := make(chan store.Settlement, settleGroup)
	var workers sync.WaitGroup
	for range max(p.Workers, 1) {
		workers.Go(func() {
			for t := range tasks {
				p.giveWay(ctx, t.certificate)
				done <- p.attempt(ctx, t)
			}
		})
	}
	var settler sync.WaitGroup
	settler.Go(func() { p.settle(ctx, done) })
	p.feed(ctx, tasks, done)
	close(tasks)
	workers.Wait()
	close(done)
	settler.Wait()
	if err := context.Cause(ctx); errors.Is(err, errTooMany) {
		return err
	}
	return nil
}

// giveWay holds a document back while callers hand in others. A burst is so taken
// in at once and worked on afterwards; what never ends is not a burst, and a
// document that has waited long enough waits no more.
func (p *Processor) giveWay(ctx context.Context, c vault.Certificate) {
	for p.Rush != nil && p.Rush() && p.Now().Sub(c.CreatedAt) < patience && ctx.Err() == nil {
		bell.Pause(ctx, glance)
	}
}

// feed claims jobs and hands them to the workers until ctx ends.
func (p *Processor) feed(ctx context.Context, tasks chan<- task, done chan<- store.Settlement) {
	for ctx.Err() == nil {
		claimed, err := p.claim(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			p.trouble("claiming jobs failed", err)
			p.wake.Wait(ctx, afterError)
		case len(claimed) == 0:
			p.rest(ctx)
		default:
			p.hand(ctx, claimed, tasks, done)
		}
	}
}

func (p *Processor) claim(ctx context.Context) ([]task, error) {
	jobs, err := p.queue.Claim(ctx, vault.JobProcess, claimGroup, p.Now())
	if err != nil || len(jobs) == 0 {
		return nil, err
	}
	ids := make([]uint64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Certificate
	}
	// Claimed is claimed: the look-up must not be cut short.
	certificates, err := p.queue.ByID(context.WithoutCancel(ctx), ids...)
	if err != nil {
		return nil, fmt.Errorf("reading claimed certificates: %w", err)
	}
	claimed := make([]task, len(jobs))
	for i := range jobs {
		claimed[i] = task{job: jobs[i], certificate: certificates[i]}
	}
	return claimed, nil
}

// hand gives tasks to the workers. A suspect is alone in the process while it
// is worked on.
func (p *Processor) hand(ctx context.Context, claimed []task, tasks chan<- task, done chan<- store.Settlement) {
	for _, t := range claimed {
		if t.job.Suspect() {
			p.inFlight.zero()
		}
		p.inFlight.add(1)
		select {
		case <-ctx.Done():
			done <- store.Settlement{Job: t.job.Postponed("", p.Now()), Untried: true}
		case tasks <- t:
			if t.job.Suspect() {
				p.inFlight.zero()
			}
		}
	}
}

// rest waits until there may be work.
func (p *Processor) rest(ctx context.Context) {
	wait := idlePoll
	if next, err := p.queue.NextRun(ctx, vault.JobProcess); err == nil && !next.IsZero() {
		wait = min(max(next.Sub(p.Now()), time.Millisecond), idlePoll)
	}
	p.wake.Wait(ctx, wait)
}

// attempt does the work of one job and decides what becomes of it: done, tried
// again, or failed. This is the only place that decides that.
func (p *Processor) attempt(ctx context.Context, t task) store.Settlement {
	s := store.Settlement{Job: t.job}
	if t.certificate.Status != vault.Processing {
		return s // revoked or settled meanwhile: nothing is left to do
	}
	if t.job.GivenUp() {
		s.Change = fail(vault.Failure{Code: vault.CodeCrashed,
			Reason: "processing this document ended the program several times; check the document, then retry"}, p.Now())
		return s
	}
	begun := p.Now()
	change, err := p.guarded(ctx, t.certificate)
	s = p.judge(t, change, err)
	if p.Observe != nil {
		p.Observe(resultOf(s, t.certificate), p.Now().Sub(begun))
	}
	return s
}

// judge decides what an attempt's outcome means for its job.
func (p *Processor) judge(t task, change store.Change, err error) store.Settlement {
	s := store.Settlement{Job: t.job}
	switch {
	case err == nil:
		s.Change = change
		return s
	case errors.Is(err, errStopped):
		s.Job, s.Untried = s.Job.Postponed(err.Error(), p.Now()), true
		return s
	case fault.Is(err, fault.Full):
		p.trouble("processing is held up", err)
		s.Job, s.Untried = s.Job.Postponed(err.Error(), p.Now().Add(afterError)), true
		return s
	}
	p.Log.Warn("processing failed", "certificate", t.certificate.UUID, "attempt", s.Job.Attempt, "error", err)
	if again, ok := s.Job.Again(err.Error(), p.Now()); ok {
		s.Job, s.Again = again, true
		return s
	}
	s.Change = fail(failureOf(err), p.Now())
	return s
}

// failureOf is the reason that people read when the attempts are used up.
func failureOf(err error) vault.Failure {
	if errors.Is(err, errHangs) {
		return vault.Failure{Code: vault.CodeTimeout, Reason: "processing this document did not end in time; check the document, then retry"}
	}
	return vault.Failure{Code: vault.CodeInternal,
		Reason: "processing failed repeatedly; the agent's log says why; retry when that is mended"}
}

// resultOf names what a settlement will do to a certificate.
func resultOf(s store.Settlement, c vault.Certificate) Result {
	switch {
	case s.Untried:
		return Held
	case s.Again:
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
func (p *Processor) settle(ctx context.Context, done <-chan store.Settlement) {
	var group []store.Settlement
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
				linger.Reset(settleLinger)
			}
			if len(group) >= settleGroup || p.inFlight.is(len(group)) {
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
func (p *Processor) commit(ctx context.Context, group []store.Settlement) {
	outcomes, err := p.queue.Settle(context.WithoutCancel(ctx), group)
	for err != nil {
		p.trouble("settling jobs failed", err)
		if ctx.Err() != nil {
			return
		}
		p.wake.Wait(ctx, afterError)
		outcomes, err = p.queue.Settle(context.WithoutCancel(ctx), group)
	}
	ended := make([]uint64, 0, len(group))
	for i, s := range group {
		switch {
		case outcomes[i] != nil:
			p.Log.Warn("a job could not be settled", "job", s.Job.ID, "error", outcomes[i])
		case s.Again, s.Untried:
			p.Wake() // it may be due before what is being waited for
		default:
			ended = append(ended, s.Job.Certificate)
		}
	}
	if p.Settled != nil && len(ended) > 0 {
		p.Settled(ended)
	}
}

func (p *Processor) trouble(what string, err error) {
	if p.Trouble == nil {
		p.Log.Error(what, "error", err)
		return
	}
	p.Trouble(fmt.Errorf("%s: %w", what, err))
}
