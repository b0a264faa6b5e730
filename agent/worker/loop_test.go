package worker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vecctl/vecctl/agent/worker"
)

// task is a number that is due at a moment.
type task struct {
	id    int
	due   time.Time
	alone bool
}

// result says what came of a task.
type result struct {
	id       int
	released bool
}

// queue is a queue in memory, and notes what a loop does to it.
type queue struct {
	mu        sync.Mutex
	begun     time.Time
	free      []task
	claims    []time.Duration // when somebody claimed
	commits   []string        // "after: results"
	done      []int
	released  []int
	errors    []error
	claimErr  []error // of the next claims
	commitErr []error // of the next commits
	tried     int
}

func newQueue(n int) *queue {
	q := &queue{begun: time.Now()}
	for id := 1; id <= n; id++ {
		q.free = append(q.free, task{id: id})
	}
	return q
}

func (q *queue) add(tasks ...task) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free = append(q.free, tasks...)
}

func next(errs *[]error) error {
	if len(*errs) == 0 {
		return nil
	}
	err := (*errs)[0]
	*errs = (*errs)[1:]
	return err
}

func (q *queue) claim(ctx context.Context) ([]task, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.claims = append(q.claims, time.Since(q.begun))
	if err := errors.Join(ctx.Err(), next(&q.claimErr)); err != nil {
		return nil, err
	}
	var claimed []task
	q.free = slices.DeleteFunc(q.free, func(t task) bool {
		due := !t.due.After(time.Now())
		if due {
			claimed = append(claimed, t)
		}
		return due
	})
	return claimed, nil
}

func (q *queue) nextRun(context.Context) (at time.Time, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range q.free {
		if at.IsZero() || t.due.Before(at) {
			at = t.due
		}
	}
	return at, nil
}

func (q *queue) commit(ctx context.Context, results []result) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tried++
	if err := errors.Join(ctx.Err(), next(&q.commitErr)); err != nil {
		return err
	}
	var ids []int
	for _, r := range results {
		if r.released {
			q.released = append(q.released, r.id)
			continue
		}
		ids = append(ids, r.id)
	}
	slices.Sort(ids)
	q.done = append(q.done, ids...)
	q.commits = append(q.commits, fmt.Sprintf("%v: %v", time.Since(q.begun), ids))
	return nil
}

// options are those of a loop on the queue whose tasks take a time each.
func (q *queue) options(takes time.Duration) worker.Options[task, result] {
	return worker.Options[task, result]{
		Claim: q.claim, NextRun: q.nextRun, Commit: q.commit, Now: time.Now,
		Do: func(_ context.Context, t task) result {
			time.Sleep(takes)
			return result{id: t.id}
		},
		Release: func(t task) result { return result{id: t.id, released: true} },
		OnError: func(err error) {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.errors = append(q.errors, err)
		},
		Workers: 4, MaxGroup: 8, Linger: time.Millisecond, Idle: time.Minute, AfterError: 2 * time.Second,
	}
}

// start runs a loop; the result ends it and waits.
func start(t *testing.T, l *worker.Loop[task, result]) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		t.Errorf("%s: got %s, want %s", what, g, w)
	}
}

// At the end what is in work is finished and committed; what was claimed and not begun
// is released, whether it waits for a worker or is at hand.
func TestTheEndFinishesAndReleases(t *testing.T) {
	for _, prefetch := range []int{0, 3} {
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(20)
			o := q.options(time.Second)
			o.Prefetch = prefetch
			l := worker.New(o)
			stop := start(t, l)
			time.Sleep(1500 * time.Millisecond)
			stop()
			want(t, "it ended after", time.Since(q.begun), 2*time.Second)
			slices.Sort(q.done)
			slices.Sort(q.released)
			want(t, "done", q.done, []int{1, 2, 3, 4, 5, 6, 7, 8})
			want(t, "released", q.released, []int{9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
			want(t, "busy", l.Busy(), false)
		})
	}
}

// The context of work ends with the loop, so that work can be cut short.
func TestTheEndIsToldToWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		o := q.options(0)
		o.Do = func(ctx context.Context, t task) result {
			<-ctx.Done()
			return result{id: t.id, released: true}
		}
		stop := start(t, worker.New(o))
		time.Sleep(time.Second)
		stop()
		want(t, "it ended after", time.Since(q.begun), time.Second)
		want(t, "released", q.released, []int{1})
	})
}

// A commit that fails is tried again, with the same results and nothing done twice.
func TestACommitThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(3)
		q.commitErr = []error{errors.New("full"), errors.New("still full")}
		stop := start(t, worker.New(q.options(time.Second)))
		time.Sleep(time.Minute)
		stop()
		want(t, "commits", q.commits, []string{"5s: [1 2 3]"})
		want(t, "errors", q.errors, []error{errors.New("full"), errors.New("still full")})
	})
}

// A store that fails for good does not keep the end waiting.
func TestTheEndWithACommitThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(3)
		q.commitErr = slices.Repeat([]error{errors.New("gone")}, 1000)
		l := worker.New(q.options(time.Second))
		stop := start(t, l)
		time.Sleep(4 * time.Second)
		stop()
		want(t, "it ended after", time.Since(q.begun), 4*time.Second)
		want(t, "commits that were tried", q.tried, 3) // after 1 s, after 3 s, and at the end
		want(t, "done", q.done, []int{})
		want(t, "busy", l.Busy(), false)
	})
}

// After an error nobody claims for a while, not even when the loop is woken.
func TestAClaimThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		q.claimErr = []error{errors.New("busy"), errors.New("busy")}
		l := worker.New(q.options(0))
		stop := start(t, l)
		time.Sleep(time.Second)
		l.Wake()
		time.Sleep(4 * time.Second)
		stop()
		want(t, "claims", q.claims[:3], []time.Duration{0, 2 * time.Second, 4 * time.Second})
		want(t, "errors", len(q.errors), 2)
		want(t, "done", q.done, []int{1})
	})
}

// Errors that come of the end are told to nobody.
func TestTheEndIsNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(0)
		o := q.options(0)
		o.Claim = func(ctx context.Context) ([]task, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		stop := start(t, worker.New(o))
		time.Sleep(time.Second)
		stop()
		want(t, "errors", q.errors, []error{})
	})
}

// A task that must be alone begins when all before it are committed, and those behind it
// begin when it is.
func TestATaskThatMustBeAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(9)
		q.free[4].alone = true
		o := q.options(0)
		o.Prefetch = 2
		o.Alone = func(t task) bool { return t.alone }
		var mu sync.Mutex
		inWork, most := map[int]bool{}, 0
		o.Do = func(_ context.Context, tt task) result {
			mu.Lock()
			inWork[tt.id] = true
			most = max(most, len(inWork))
			if tt.alone && len(inWork) > 1 {
				t.Errorf("in work with it: %v", inWork)
			}
			mu.Unlock()
			time.Sleep(time.Duration(tt.id) * time.Second)
			mu.Lock()
			defer mu.Unlock()
			if tt.alone && len(inWork) > 1 {
				t.Errorf("in work with it at its end: %v", inWork)
			}
			delete(inWork, tt.id)
			return result{id: tt.id}
		}
		stop := start(t, worker.New(o))
		time.Sleep(time.Minute)
		stop()
		slices.Sort(q.done)
		want(t, "done", q.done, []int{1, 2, 3, 4, 5, 6, 7, 8, 9})
		want(t, "at once", most, 4)
		if !slices.Contains(q.commits, "9s: [5]") {
			t.Errorf("it was not committed alone: %v", q.commits)
		}
	})
}

func TestResultsAreCommittedTogether(t *testing.T) {
	for name, test := range map[string]struct {
		tasks   int
		linger  time.Duration
		workers int
		want    []string
	}{
		// The first task takes 100 ms, the second 200 ms, ...
		"when all are there":           {4, time.Hour, 4, []string{"400ms: [1 2 3 4]"}},
		"when a group is full":         {10, time.Hour, 10, []string{"800ms: [1 2 3 4 5 6 7 8]", "1s: [9 10]"}},
		"when the first waited enough": {4, 150 * time.Millisecond, 4, []string{"250ms: [1 2]", "400ms: [3 4]"}},
		"at once":                      {3, 0, 3, []string{"100ms: [1]", "200ms: [2]", "300ms: [3]"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueue(test.tasks)
				o := q.options(0)
				o.Linger, o.Workers = test.linger, test.workers
				o.Do = func(_ context.Context, t task) result {
					time.Sleep(time.Duration(t.id) * 100 * time.Millisecond)
					return result{id: t.id}
				}
				stop := start(t, worker.New(o))
				time.Sleep(time.Minute)
				stop()
				want(t, "commits", q.commits, test.want)
			})
		})
	}
}

// Without lingering, what has gathered while a commit was under way is committed together.
func TestResultsGatherDuringACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(5)
		o := q.options(0)
		o.Workers, o.Linger = 5, 0
		o.Do = func(_ context.Context, t task) result {
			time.Sleep(time.Duration(t.id) * time.Millisecond)
			return result{id: t.id}
		}
		o.Commit = func(ctx context.Context, results []result) error {
			time.Sleep(time.Second)
			return q.commit(ctx, results)
		}
		stop := start(t, worker.New(o))
		time.Sleep(time.Minute)
		stop()
		want(t, "commits", q.commits, []string{"1.001s: [1]", "2.001s: [2 3 4 5]"})
	})
}

func TestWhenTheLoopClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(0)
		l := worker.New(q.options(0))
		stop := start(t, l)
		time.Sleep(90 * time.Second) // nothing is known: it looks every minute
		q.add(task{id: 1, due: q.begun.Add(100 * time.Second)})
		l.Wake()
		time.Sleep(20 * time.Second) // the next is known
		q.add(task{id: 2})
		l.Wake()
		l.Wake() // as one
		time.Sleep(10 * time.Minute)
		q.add(task{id: 3, due: time.Now().Add(time.Hour)})
		time.Sleep(119 * time.Second)
		stop()
		got := slices.Compact(q.claims) // after each commit it looks again
		var after []float64
		for _, at := range got {
			after = append(after, at.Seconds())
		}
		want(t, "claims after seconds", after, "[0 60 90 100 110 170 230 290 350 410 470 530 590 650 710 770]")
		want(t, "done", q.done, []int{1, 2})
	})
}

// A result may put its task back; the loop sees when that is due without being woken.
func TestATaskThatIsDueAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1)
		o := q.options(0)
		o.Commit = func(ctx context.Context, results []result) error {
			if time.Since(q.begun) < 3*time.Second {
				q.add(task{id: results[0].id, due: time.Now().Add(time.Second)})
			}
			return q.commit(ctx, results)
		}
		stop := start(t, worker.New(o))
		time.Sleep(10 * time.Second)
		stop()
		want(t, "commits", q.commits, []string{"0s: [1]", "1s: [1]", "2s: [1]", "3s: [1]"})
	})
}

// From the claim of a task to the commit of its result the loop is busy without a gap.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(20)
		o := q.options(time.Second)
		o.Claim = func(ctx context.Context) ([]task, error) {
			time.Sleep(time.Second)
			return q.claim(ctx)
		}
		o.Commit = func(ctx context.Context, results []result) error {
			time.Sleep(time.Second)
			return q.commit(ctx, results)
		}
		o.NextRun = func(context.Context) (time.Time, error) { return time.Time{}, nil }
		l := worker.New(o)
		want(t, "busy before", l.Busy(), false)
		stop := start(t, l)
		for left := true; left; {
			time.Sleep(100 * time.Millisecond)
			synctest.Wait()
			q.mu.Lock()
			if left = len(q.done) < 20; left && !l.Busy() {
				t.Errorf("it is not busy after %v, when %d are done", time.Since(q.begun), len(q.done))
			}
			q.mu.Unlock()
		}
		time.Sleep(10*time.Second + 500*time.Millisecond) // it claims, finds nothing, and waits
		want(t, "busy afterwards", l.Busy(), false)
		stop()
	})
}

func TestGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		ctx, end := context.WithCancel(context.WithValue(t.Context(), task{}, "kept"))
		patient, cancel := worker.WithGrace(ctx, time.Second)
		want(t, "its value", patient.Value(task{}), "kept")
		time.Sleep(time.Minute)
		want(t, "before the end", patient.Err(), nil)
		end()
		<-patient.Done()
		want(t, "it ended after", time.Since(begun), time.Minute+time.Second)
		cancel()

		patient, cancel = worker.WithGrace(ctx, time.Hour) // what begins after the end has its grace too
		synctest.Wait()
		want(t, "within its grace", patient.Err(), nil)
		cancel()
		want(t, "once it is no longer needed", patient.Err(), context.Canceled)
	})
}

// Workers that are added while a loop runs take tasks at once; fewer are never wanted.
func TestAddWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(12)
		l := worker.New(q.options(time.Second))
		l.AddWorkers(2)
		stop := start(t, l)
		time.Sleep(500 * time.Millisecond)
		l.AddWorkers(12)
		time.Sleep(600 * time.Millisecond)
		q.mu.Lock()
		first := len(q.done)
		q.mu.Unlock()
		time.Sleep(500 * time.Millisecond)
		stop()
		if first != 4 || len(q.done) != 12 {
			t.Errorf("%d tasks are done after 1 s and %d after 1.5 s, want 4 and 12", first, len(q.done))
		}
	})
}
