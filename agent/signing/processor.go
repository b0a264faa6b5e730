// Package signing stamps and signs accepted certificates: it claims their jobs, makes the
// verified PDFs with the code and the signature, and commits how each ended.
package signing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/vecctl/vecctl/agent/worker"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Store is what is needed of the store.
type Store interface {
	store.Queue
	ByID(ctx context.Context, ids ...uint64) ([]vault.Certificate, error)
}

// Func makes the change that ends the processing of one certificate. A change
// of nil with an error means that the cause may pass and the work is to be
// tried again; whatever is final is a change.
type Func func(ctx context.Context, c vault.Certificate) (store.Change, error)

// Options are what a processor needs besides the queue and the work.
type Options struct {
	// Owner is who claims jobs: another one after each start of the process.
	Owner   string
	Workers int
	// TimeLimit is how long one document may take; 0 is DefaultLimit.
	TimeLimit time.Duration
	Now       func() time.Time
	Log       *slog.Logger
	// Busy, where set, reports whether many callers wait for something now; documents
	// then wait for a while, so that the callers have the machine.
	Busy func() bool
	// OnSettled, where set, is told of every certificate whose processing ended,
	// after that was committed. It must not block.
	OnSettled func(ids []uint64)
	// OnError, where set, is told instead of the log what holds work up and is not the
	// work's fault, such as a full disk. It must not block.
	OnError func(error)
	// Observe, where set, is told how every attempt ended and how long it took.
	Observe func(Result, time.Duration)
	// Holds, where set, keeps institutions waiting for which nothing can be signed.
	Holds *Holds
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

// Processor signs the certificates that wait for it.
type Processor struct {
	Options
	store Store
	work  Func
	loop  *worker.Loop[task, store.JobResult]
	stuck *stuck
}

// Sizes and times of the loop. A group is what one transaction claims or settles at most.
const (
	claimGroup     = 256
	maxCommitGroup = 256
	commitLinger   = 50 * time.Millisecond
	// idlePoll bounds how late a job is seen whose moment nobody announced.
	idlePoll = 30 * time.Second
	// maxYield is how long a document gives way to callers, and yieldPoll how often it
	// looks whether they are gone.
	maxYield  = 10 * time.Second
	yieldPoll = 20 * time.Millisecond
	// retryDelay is the pause when the store fails, or the disk is full.
	retryDelay = 2 * time.Second
)

// New makes a processor; it starts nothing.
func New(queue Store, work Func, o Options) *Processor {
	if o.TimeLimit == 0 {
		o.TimeLimit = DefaultTimeLimit
	}
	p := &Processor{Options: o, store: queue, work: work, stuck: newStuck()}
	p.loop = worker.New(worker.Options[task, store.JobResult]{
		Claim: p.claim, NextRun: p.nextRun, Do: p.do, Release: p.release, Commit: p.commit, Alone: task.suspect,
		OnError: p.reportError, Now: o.Now, Workers: o.Workers, MaxGroup: maxCommitGroup, Linger: commitLinger,
		Idle: idlePoll, AfterError: retryDelay,
	})
	return p
}

// AddWorkers has at least n documents be in work at a time from now on.
func (p *Processor) AddWorkers(n int) { p.loop.AddWorkers(n) }

// Wake says that there may be new jobs.
func (p *Processor) Wake() { p.loop.Wake() }

// task is a job with its certificate.
type task struct {
	job         vault.Job
	certificate vault.Certificate
}

// suspect reports whether the task may end the program.
func (t task) suspect() bool { return t.job.Suspect() }

// Run works until ctx ends. Then what is in work is finished and settled, and
// what was claimed but not begun goes back to the queue. It ends by itself, with
// an error, when more documents hang than a process should carry along.
func (p *Processor) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p.stuck.full = func(err error) {
		p.reportError(fmt.Errorf("signing has ended: %w", err))
		stop(err)
	}
	p.loop.Run(ctx)
	if err := context.Cause(ctx); errors.Is(err, errTooManyStuck) {
		return err
	}
	return nil
}

func (p *Processor) claim(ctx context.Context) ([]task, error) {
	return claimTasks(ctx, p.store, vault.JobSign, p.Owner, claimGroup, p.Now())
}

// claimTasks claims up to n jobs of a kind with their certificates.
func claimTasks(ctx context.Context, from Store, kind vault.JobKind, owner string, n int, now time.Time) ([]task, error) {
	jobs, err := from.Claim(ctx, store.Lane{Kind: kind}, owner, n, now)
	if err != nil {
		return nil, fmt.Errorf("claiming jobs failed: %w", err)
	}
	if len(jobs) == 0 {
		return nil, nil
	}
	ids := make([]uint64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Certificate
	}
	// The jobs are claimed now: the look-up must not be cut short.
	certificates, err := from.ByID(context.WithoutCancel(ctx), ids...)
	if err != nil {
		return nil, fmt.Errorf("reading claimed certificates: %w", err)
	}
	claimed := make([]task, len(jobs))
	for i := range jobs {
		claimed[i] = task{job: jobs[i].Job, certificate: certificates[i]}
	}
	return claimed, nil
}

func (p *Processor) nextRun(ctx context.Context) (time.Time, error) {
	return p.store.NextRun(ctx, store.Lane{Kind: vault.JobSign})
}

// release gives a job back that was not begun.
func (p *Processor) release(t task) store.JobResult {
	return store.JobResult{Job: t.job.Postponed("", p.Now(), 0), Release: true}
}

// do works on one job, once callers have had their turn.
func (p *Processor) do(ctx context.Context, t task) store.JobResult {
	p.yieldToCallers(ctx, t.certificate)
	return p.attempt(ctx, t)
}

// yieldToCallers holds a document back while callers submit others. So a burst is taken
// in at once and worked on afterwards. What never ends is not a burst: a document that
// has waited long enough waits no more.
func (p *Processor) yieldToCallers(ctx context.Context, c vault.Certificate) {
	for p.Busy != nil && p.Busy() && p.Now().Sub(c.CreatedAt).Abs() < maxYield && ctx.Err() == nil {
		wake.Sleep(ctx, yieldPoll)
	}
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
	if p.Holds != nil {
		if why, left := p.Holds.Find(t.certificate.Institution, p.Now()); why != nil {
			s.Job, s.Release = s.Job.Postponed(why.Error(), p.Now(), left), true
			return s
		}
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
	if held, ok := errors.AsType[*HeldError](err); ok && p.Holds != nil {
		p.reportError(held)
		s.Job, s.Release = s.Job.Postponed(held.Error(), p.Now(), p.Holds.Set(t.certificate.Institution, held, p.Now())), true
		return s
	}
	switch {
	case err == nil:
		if p.Holds != nil {
			p.Holds.Lift(t.certificate.Institution)
		}
		s.Change = change
		return s
	case errors.Is(err, errStopped):
		s.Job, s.Release = s.Job.Postponed(err.Error(), p.Now(), 0), true
		return s
	case fault.Is(err, fault.Full):
		p.reportError(fmt.Errorf("processing is held up: %w", err))
		s.Job, s.Release = s.Job.Postponed(err.Error(), p.Now(), retryDelay), true
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
		Reason: "processing failed repeatedly; the agent's log says why; retry when that is fixed"}
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

// commit settles a group of jobs.
func (p *Processor) commit(ctx context.Context, group []store.JobResult) error {
	outcomes, err := p.store.Complete(ctx, group)
	if err != nil {
		return fmt.Errorf("settling jobs failed: %w", err)
	}
	ended := make([]uint64, 0, len(group))
	for i, s := range group {
		switch {
		case outcomes[i] != nil:
			p.Log.Warn("the result of a job could not be stored", "job", s.Job.ID, "error", outcomes[i])
		case !s.Retry && !s.Release:
			ended = append(ended, s.Job.Certificate)
		}
	}
	if p.OnSettled != nil && len(ended) > 0 {
		p.OnSettled(ended)
	}
	return nil
}

func (p *Processor) reportError(err error) {
	if p.OnError == nil {
		p.Log.Error("signing is held up", "error", err)
		return
	}
	p.OnError(err)
}
