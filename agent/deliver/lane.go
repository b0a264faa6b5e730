package deliver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// lane is one endpoint's deliveries. What is tried stays busy until its outcome is
// committed, so that it is not taken twice.
type lane struct {
	*Sender
	institution uint32
	endpoint    string
	wake        chan struct{}
	stop        context.CancelFunc

	mu   sync.Mutex
	busy map[uint64]bool
}

func newLane(s *Sender, e hook.Endpoint) *lane {
	return &lane{Sender: s, institution: e.Institution, endpoint: e.ID, wake: make(chan struct{}, 1), busy: map[uint64]bool{}}
}

// task is a delivery in a worker's hands.
type task struct {
	due  store.Due
	keys keys
}

// run delivers until ctx ends; then what is under way may end within the grace, and
// all outcomes are committed.
func (l *lane) run(ctx context.Context) {
	hard, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-hard.Done():
		case <-timer.C:
			cut()
		}
	})()
	tasks, done := make(chan task), make(chan store.Tried, settleGroup)
	var sending, settling sync.WaitGroup
	for range workers {
		sending.Go(func() {
			for t := range tasks {
				l.attempt(hard, t, done)
			}
		})
	}
	settling.Go(func() { l.settle(ctx, done) })
	l.feed(ctx, tasks)
	close(tasks)
	sending.Wait()
	close(done)
	settling.Wait()
}

// feed hands out what is due until ctx ends or the endpoint is gone.
func (l *lane) feed(ctx context.Context, tasks chan<- task) {
	for ctx.Err() == nil {
		turn, err := l.queue.NextTurn(ctx, l.institution, l.endpoint, l.Now(), turnSize, l.isBusy)
		var signing keys
		if err == nil && len(turn.Due) > 0 {
			signing, err = l.keysOf(turn.Endpoint)
		}
		switch {
		case fault.Is(err, fault.NotFound):
			return
		case err != nil:
			if ctx.Err() == nil {
				l.Log.Error("webhook deliveries are held up", "endpoint", l.endpoint, "error", err)
			}
			rest(ctx, nil, afterError)
		case len(turn.Due) == 0:
			rest(ctx, l.wake, l.until(turn.Next))
		default:
			l.hand(ctx, turn, signing, tasks)
		}
	}
}

// until is how long there is nothing to do.
func (l *lane) until(next time.Time) time.Duration {
	if next.IsZero() {
		return idlePoll
	}
	return min(max(next.Sub(l.Now()), time.Millisecond), idlePoll)
}

func (l *lane) hand(ctx context.Context, turn store.Turn, signing keys, tasks chan<- task) {
	for _, due := range turn.Due {
		l.setBusy(true, due.ID)
		select {
		case <-ctx.Done():
			l.setBusy(false, due.ID)
			return
		case tasks <- task{due, signing}:
		}
	}
}

// attempt tries one delivery. What was broken off because the end was asked for
// counts as not tried.
func (l *lane) attempt(ctx context.Context, t task, done chan<- store.Tried) {
	a, err := l.send(ctx, t.keys, t.due.Delivery, t.due.Body)
	if errors.Is(err, context.Canceled) {
		l.setBusy(false, t.due.ID)
		return
	}
	done <- store.Tried{Delivery: t.due.ID, Attempt: a}
}

// settle commits outcomes in groups: as soon as nothing else is under way, or a
// group is full, or its first member has waited long enough.
func (l *lane) settle(ctx context.Context, done <-chan store.Tried) {
	var group []store.Tried
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
				linger.Reset(settleLinger)
			}
			if len(group) >= settleGroup || l.busyIs(len(group)) {
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
func (l *lane) commit(ctx context.Context, group []store.Tried) {
	for {
		err := l.queue.KeepAttempts(context.WithoutCancel(ctx), l.institution, group)
		if err == nil {
			break
		}
		l.Log.Error("webhook deliveries cannot be noted", "endpoint", l.endpoint, "error", err)
		if ctx.Err() != nil {
			break
		}
		rest(ctx, nil, afterError)
	}
	ids := make([]uint64, len(group))
	for i, one := range group {
		ids[i] = one.Delivery
	}
	l.setBusy(false, ids...)
	signal(l.wake) // some may be due again before what is being waited for
	if l.Ended != nil {
		l.Ended()
	}
}

func (l *lane) isBusy(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy[id]
}

func (l *lane) busyIs(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.busy) == n
}

func (l *lane) setBusy(is bool, ids ...uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if is {
			l.busy[id] = true
		} else {
			delete(l.busy, id)
		}
	}
}
