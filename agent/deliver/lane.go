package deliver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/bell"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault/hook"
)

// lane is one endpoint's deliveries. What is tried stays busy until its outcome is
// committed, so that it is not taken twice; and until the next turn begins, since
// one that is being read may still see how it was before.
type lane struct {
	*Sender
	institution uint32
	endpoint    string
	wake        bell.Bell
	stop        context.CancelFunc

	mu   sync.Mutex
	busy map[uint64]bool
	free []uint64 // committed, but still among the busy ones
}

func newLane(s *Sender, e hook.Endpoint) *lane {
	return &lane{Sender: s, institution: e.Institution, endpoint: e.ID, wake: bell.New(), busy: map[uint64]bool{}}
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
	tasks, done := make(chan task, ahead), make(chan store.Tried, settleGroup)
	var sending, settling sync.WaitGroup
	for range workers {
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
	l.feed(ctx, tasks)
	close(tasks)
	sending.Wait()
	close(done)
	settling.Wait()
}

// feed hands out what is due until ctx ends or the endpoint is gone.
func (l *lane) feed(ctx context.Context, tasks chan<- task) {
	size := turnSize
	for ctx.Err() == nil {
		l.release()
		turn, err := l.queue.NextTurn(ctx, l.institution, l.endpoint, l.Now(), size, l.isBusy)
		// What is in hand when an endpoint is suspended is tried all the same, so a bad one
		// gets less into the hand.
		if size = turnSize; turn.Endpoint.LastStatus == hook.Success && turn.Endpoint.Failures == 0 {
			size = goodTurn
		}
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
			bell.Pause(ctx, afterError)
		case len(turn.Due) == 0:
			l.wake.Wait(ctx, l.until(turn.Next))
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
		l.setBusy(due.ID)
		select {
		case <-ctx.Done():
			l.setFree(due.ID)
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
		l.setFree(t.due.ID)
		return
	}
	done <- store.Tried{Due: t.due, Attempt: a}
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
		bell.Pause(ctx, afterError)
	}
	ids := make([]uint64, len(group))
	for i, one := range group {
		ids[i] = one.ID
		if l.Result != nil {
			l.Result(resultOf(one))
		}
	}
	l.setFree(ids...)
	l.wake.Ring() // some may be due again before what is being waited for
	if l.Ended != nil {
		l.Ended(ctx)
	}
}

// resultOf names how an attempt ended.
func resultOf(one store.Tried) string {
	switch _, d := hook.After(hook.Endpoint{}, one.Delivery, one.Attempt); d.State {
	case hook.Delivered:
		return "delivered"
	case hook.GivenUp:
		return "failed"
	case hook.Pending:
	}
	return "again"
}

func (l *lane) isBusy(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy[id]
}

// busyIs tells whether so many are under way.
func (l *lane) busyIs(n int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.busy)-len(l.free) == n
}

func (l *lane) setBusy(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy[id] = true
}

func (l *lane) setFree(ids ...uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, ids...)
}

// release ends the being busy of what was committed.
func (l *lane) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range l.free {
		delete(l.busy, id)
	}
	l.free = l.free[:0]
}
