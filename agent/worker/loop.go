// Package worker is the one loop that works on queues: it claims tasks, hands them to
// workers, and commits what came of them in groups.
package worker

import (
	"context"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/wake"
)

// Options say what a loop works on. T is a task, R is what came of one.
type Options[T, R any] struct {
	// Claim takes tasks that are due, so that nobody else gets them. None is no error.
	Claim func(ctx context.Context) ([]T, error)
	// NextRun is the earliest moment at which a task is due; zero when none is known.
	NextRun func(ctx context.Context) (time.Time, error)
	// Do works on a task and decides what becomes of it. Its context ends with that of Run;
	// work that may go on a while after that takes WithGrace.
	Do func(ctx context.Context, task T) R
	// Release is the result of a task that was claimed and not begun: others may have it.
	Release func(task T) R
	// Commit keeps results, all or none. It is called again until it does not fail.
	Commit func(ctx context.Context, results []R) error
	// Alone reports whether a task must be the only one in work; nil: none must.
	Alone func(task T) bool
	// OnError is told why tasks cannot be claimed, or results not be kept, at present.
	OnError func(error)
	Now     func() time.Time

	Workers  int           // tasks in work at a time; at least 1
	Prefetch int           // tasks at hand while the next ones are claimed
	MaxGroup int           // results that are committed together at most
	Linger   time.Duration // how long a result waits for others to be committed with
	// Idle is how long the loop waits at most before it claims again, where nobody wakes it.
	Idle time.Duration
	// AfterError is the pause after an error of Claim or Commit.
	AfterError time.Duration
}

// Loop is one queue's workers.
type Loop[T, R any] struct {
	Options[T, R]
	wake wake.Signal

	mu       sync.Mutex
	changed  sync.Cond
	waiting  int            // claims under way, and claimed tasks that no worker has
	inFlight int            // tasks that workers have, or that are not committed
	running  *workers[T, R] // nil while Run does not run
}

// workers are the goroutines that work on tasks.
type workers[T, R any] struct {
	ctx   context.Context // of Run
	tasks chan T
	done  chan R
	wait  sync.WaitGroup
}

// New makes a loop; it starts nothing.
func New[T, R any](o Options[T, R]) *Loop[T, R] {
	l := &Loop[T, R]{Options: o, wake: wake.New()}
	l.changed.L = &l.mu
	return l
}

// Wake says that there may be new tasks. It never blocks.
func (l *Loop[T, R]) Wake() { l.wake.Notify() }

// Busy reports whether tasks are claimed, in work, or not committed yet.
func (l *Loop[T, R]) Busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting+l.inFlight > 0
}

// InFlight counts the tasks that workers have, or that wait for one, and
// whose results are not committed.
func (l *Loop[T, R]) InFlight() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight
}

// Run works until ctx ends. Then what is in work is finished, what was claimed and not
// begun is released, and all results are committed.
func (l *Loop[T, R]) Run(ctx context.Context) {
	w := &workers[T, R]{ctx: ctx, tasks: make(chan T, l.Prefetch), done: make(chan R, max(l.MaxGroup, 1))}
	l.mu.Lock()
	l.running = w
	for range max(l.Workers, 1) {
		l.startWorker()
	}
	l.mu.Unlock()
	var committer sync.WaitGroup
	committer.Go(func() { l.commitAll(ctx, w.done) })
	l.claimAll(ctx, w.tasks, w.done)
	l.mu.Lock()
	l.running = nil
	l.mu.Unlock()
	close(w.tasks)
	w.wait.Wait()
	close(w.done)
	committer.Wait()
}

// AddWorkers has at least n tasks be in work at a time from now on.
func (l *Loop[T, R]) AddWorkers(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.Workers < n {
		l.Workers++
		if l.running != nil {
			l.startWorker()
		}
	}
}

// startWorker starts a goroutine that works on tasks until there will be no more.
func (l *Loop[T, R]) startWorker() {
	w := l.running
	w.wait.Go(func() {
		for t := range w.tasks {
			if w.ctx.Err() != nil {
				w.done <- l.Release(t)
				continue
			}
			w.done <- l.Do(w.ctx, t)
		}
	})
}

// claimAll claims tasks and hands them out until ctx ends.
func (l *Loop[T, R]) claimAll(ctx context.Context, tasks chan<- T, done chan<- R) {
	for ctx.Err() == nil {
		claimed, err := l.claim(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			l.OnError(err)
			wake.Sleep(ctx, l.AfterError)
		case len(claimed) == 0:
			l.wake.Wait(ctx, l.untilNext(ctx))
		}
		for _, t := range claimed {
			l.handOut(ctx, t, tasks, done)
		}
	}
}

// claim counts what it claims from before on, so that Busy has no gap.
func (l *Loop[T, R]) claim(ctx context.Context) ([]T, error) {
	l.count(1, 0)
	claimed, err := l.Claim(ctx)
	if err != nil {
		claimed = nil
	}
	l.count(len(claimed)-1, 0)
	return claimed, err
}

// untilNext is how long there is nothing to do.
func (l *Loop[T, R]) untilNext(ctx context.Context) time.Duration {
	next, err := l.NextRun(ctx)
	if err != nil || next.IsZero() {
		return l.Idle
	}
	return min(max(next.Sub(l.Now()), time.Millisecond), l.Idle)
}

// handOut gives a task to a worker. One that must be alone begins when all others are
// committed, and nothing else begins before it is.
func (l *Loop[T, R]) handOut(ctx context.Context, t T, tasks chan<- T, done chan<- R) {
	alone := l.Alone != nil && l.Alone(t)
	if alone {
		l.waitCommitted()
	}
	l.count(-1, 1)
	select {
	case <-ctx.Done():
		done <- l.Release(t)
		return
	case tasks <- t:
	}
	if alone {
		l.waitCommitted()
	}
}

// commitAll commits results in groups: as soon as nothing else is in flight, or a group is
// full, or its first member has waited long enough. Nobody waits for a commit, so
// gathering costs no time and saves flushes of the disk.
func (l *Loop[T, R]) commitAll(ctx context.Context, done <-chan R) {
	var group []R
	linger := time.NewTimer(0)
	linger.Stop()
	flush := func() {
		if linger.Stop(); len(group) > 0 {
			l.commit(ctx, group)
			l.count(0, -len(group))
			group = nil
		}
	}
	for {
		select {
		case r, more := <-done:
			if !more {
				flush()
				return
			}
			if group = append(group, r); len(group) == 1 && l.Linger > 0 {
				linger.Reset(l.Linger)
			}
			if len(group) >= l.MaxGroup || l.allDone(len(group)) || l.Linger == 0 && len(done) == 0 {
				flush()
			}
		case <-linger.C:
			flush()
		}
	}
}

// commit keeps a group. One that cannot be kept is tried again: the work is done and must
// not be lost, and the disk may have room again soon. When ctx ends it is given up; the
// tasks are still claimed and will be done anew.
func (l *Loop[T, R]) commit(ctx context.Context, group []R) {
	for {
		err := l.Commit(context.WithoutCancel(ctx), group)
		if err == nil {
			break
		}
		l.OnError(err)
		if ctx.Err() != nil {
			return
		}
		wake.Sleep(ctx, l.AfterError)
	}
	l.Wake() // some may be due again before what is being waited for
}

// count notes changes of how many tasks wait and are in flight.
func (l *Loop[T, R]) count(waiting, inFlight int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting += waiting
	l.inFlight += inFlight
	l.changed.Broadcast()
}

// allDone reports whether the results of all that is in flight are there.
func (l *Loop[T, R]) allDone(results int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight == results
}

// waitCommitted waits until nothing is in flight.
func (l *Loop[T, R]) waitCommitted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.inFlight != 0 {
		l.changed.Wait()
	}
}

// WithGrace returns a context for work that may go on for a while after ctx has ended.
func WithGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-patient.Done():
		case <-timer.C:
			cancel()
		}
	})
	return patient, func() {
		stop()
		cancel()
	}
}
