// Package events tells subscribers what happens in the home, and is the event
// stream that staff see.
package events

import (
	"slices"
	"sync"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/wake"
)

// Bus tells those who follow it which certificates' processing has ended. It
// carries numbers only; the store has the rest. Telling never waits. The zero
// value is ready.
type Bus struct {
	mu            sync.Mutex
	subscriptions map[*Subscription]struct{}
}

// Subscription gathers numbers until they are taken, the latest trouble, and notices.
type Subscription struct {
	bus     *Bus
	ids     []uint64
	notices []adminclient.Notice
	batches []string // batches that staff did something to
	err     error
	ready   wake.Signal
}

// PublishSettled tells which certificates' processing has ended.
func (f *Bus) PublishSettled(ids []uint64) {
	f.publish(func(one *Subscription) { one.ids = append(one.ids, ids...) })
}

// PublishChange tells that something was committed that has no certificate's end in it.
func (f *Bus) PublishChange() { f.publish(func(*Subscription) {}) }

// Wake implements wake.Waker: there may be news.
func (f *Bus) Wake() { f.PublishChange() }

// PublishError tells that processing is held up: a full disk, a damaged store.
func (f *Bus) PublishError(err error) {
	f.publish(func(one *Subscription) { one.err = err })
}

// PublishNotice tells staff something.
func (f *Bus) PublishNotice(n adminclient.Notice) {
	const most = 16 // of which the latest are kept for one who does not look
	f.publish(func(one *Subscription) {
		one.notices = append(one.notices, n)
		one.notices = one.notices[max(0, len(one.notices)-most):]
	})
}

// PublishBatchAction tells that staff did something to a batch, which is no event of a
// certificate.
func (f *Bus) PublishBatchAction(batch string) {
	f.publish(func(one *Subscription) {
		if !slices.Contains(one.batches, batch) {
			one.batches = append(one.batches, batch)
		}
	})
}

func (f *Bus) publish(note func(*Subscription)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for one := range f.subscriptions {
		note(one)
		one.ready.Notify()
	}
}

// Subscribe begins to gather, until Stop is called.
func (f *Bus) Subscribe() *Subscription {
	one := &Subscription{bus: f, ready: wake.New()}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.subscriptions == nil {
		f.subscriptions = map[*Subscription]struct{}{}
	}
	f.subscriptions[one] = struct{}{}
	return one
}

// Ready is a channel that is ready when something has gathered.
func (one *Subscription) Ready() <-chan struct{} { return one.ready }

// Take returns what has gathered.
func (one *Subscription) Take() ([]uint64, error) {
	one.bus.mu.Lock()
	defer one.bus.mu.Unlock()
	ids, trouble := one.ids, one.err
	one.ids, one.err = nil, nil
	return ids, trouble
}

// TakeNotices returns the notices that have gathered, and the batches that staff
// did something to.
func (one *Subscription) TakeNotices() ([]adminclient.Notice, []string) {
	one.bus.mu.Lock()
	defer one.bus.mu.Unlock()
	notices, acted := one.notices, one.batches
	one.notices, one.batches = nil, nil
	return notices, acted
}

// Stop ends the gathering.
func (one *Subscription) Stop() {
	one.bus.mu.Lock()
	defer one.bus.mu.Unlock()
	delete(one.bus.subscriptions, one)
}
