// Package feed tells those who follow it what happens in the home: certificates
// whose processing has ended, news, trouble, and what staff should read.
package feed

import (
	"slices"
	"sync"

	"github.com/vecctl/vecctl/pkg/bell"
	"github.com/vecctl/vecctl/pkg/client/staff"
)

// Feed tells those who follow it which certificates' processing has ended. It
// carries numbers only; the store has the rest. Telling never waits. The zero
// value is ready.
type Feed struct {
	mu        sync.Mutex
	followers map[*Follower]struct{}
}

// Follower gathers numbers until they are taken, the latest trouble, and notices.
type Follower struct {
	feed    *Feed
	ids     []uint64
	notices []staff.Notice
	acted   []string // batches that staff did something to
	trouble error
	ready   bell.Bell
}

// Settled tells which certificates' processing has ended.
func (f *Feed) Settled(ids []uint64) {
	f.tell(func(one *Follower) { one.ids = append(one.ids, ids...) })
}

// News tells that something was committed that has no certificate's end in it.
func (f *Feed) News() { f.tell(func(*Follower) {}) }

// Trouble tells that processing is held up: a full disk, a damaged store.
func (f *Feed) Trouble(err error) {
	f.tell(func(one *Follower) { one.trouble = err })
}

// Notice tells staff something.
func (f *Feed) Notice(n staff.Notice) {
	const most = 16 // of which the latest are kept for one who does not look
	f.tell(func(one *Follower) {
		one.notices = append(one.notices, n)
		one.notices = one.notices[max(0, len(one.notices)-most):]
	})
}

// Acted tells that staff did something to a batch, which is no event of a
// certificate.
func (f *Feed) Acted(batch string) {
	f.tell(func(one *Follower) {
		if !slices.Contains(one.acted, batch) {
			one.acted = append(one.acted, batch)
		}
	})
}

func (f *Feed) tell(note func(*Follower)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for one := range f.followers {
		note(one)
		one.ready.Ring()
	}
}

// Follow begins to gather, until Stop is called.
func (f *Feed) Follow() *Follower {
	one := &Follower{feed: f, ready: bell.New()}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.followers == nil {
		f.followers = map[*Follower]struct{}{}
	}
	f.followers[one] = struct{}{}
	return one
}

// Ready is a channel that is ready when something has gathered.
func (one *Follower) Ready() <-chan struct{} { return one.ready }

// Take returns what has gathered.
func (one *Follower) Take() ([]uint64, error) {
	one.feed.mu.Lock()
	defer one.feed.mu.Unlock()
	ids, trouble := one.ids, one.trouble
	one.ids, one.trouble = nil, nil
	return ids, trouble
}

// takeNotices returns the notices that have gathered, and the batches that staff
// did something to.
func (one *Follower) takeNotices() ([]staff.Notice, []string) {
	one.feed.mu.Lock()
	defer one.feed.mu.Unlock()
	notices, acted := one.notices, one.acted
	one.notices, one.acted = nil, nil
	return notices, acted
}

// Stop ends the gathering.
func (one *Follower) Stop() {
	one.feed.mu.Lock()
	defer one.feed.mu.Unlock()
	delete(one.feed.followers, one)
}
