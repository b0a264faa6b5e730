package agent

import (
	"slices"
	"sync"

	"github.com/vecctl/vecctl/pkg/client"
)

// feed tells those who follow it which certificates' processing has ended. It
// carries numbers only; the store has the rest. Telling never waits.
type feed struct {
	mu        sync.Mutex
	followers map[*follower]struct{}
}

// follower gathers numbers until they are taken, the latest trouble, and notices.
type follower struct {
	feed    *feed
	ids     []uint64
	notices []client.Notice
	acted   []string // batches that staff did something to
	trouble error
	ready   chan struct{}
}

// settled tells which certificates' processing has ended.
func (f *feed) settled(ids []uint64) {
	f.tell(func(one *follower) { one.ids = append(one.ids, ids...) })
}

// news tells that something was committed that has no certificate's end in it.
func (f *feed) news() { f.tell(func(*follower) {}) }

// trouble tells that processing is held up: a full disk, a damaged store.
func (f *feed) trouble(err error) {
	f.tell(func(one *follower) { one.trouble = err })
}

// notice tells staff something.
func (f *feed) notice(n client.Notice) {
	const most = 16 // of which the latest are kept for one who does not look
	f.tell(func(one *follower) {
		one.notices = append(one.notices, n)
		one.notices = one.notices[max(0, len(one.notices)-most):]
	})
}

// acted tells that staff did something to a batch, which is no event of a
// certificate.
func (f *feed) acted(batch string) {
	f.tell(func(one *follower) {
		if !slices.Contains(one.acted, batch) {
			one.acted = append(one.acted, batch)
		}
	})
}

func (f *feed) tell(note func(*follower)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for one := range f.followers {
		note(one)
		select {
		case one.ready <- struct{}{}:
		default:
		}
	}
}

func (f *feed) follow() *follower {
	one := &follower{feed: f, ready: make(chan struct{}, 1)}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.followers == nil {
		f.followers = map[*follower]struct{}{}
	}
	f.followers[one] = struct{}{}
	return one
}

// take returns what has gathered.
func (one *follower) take() ([]uint64, error) {
	one.feed.mu.Lock()
	defer one.feed.mu.Unlock()
	ids, trouble := one.ids, one.trouble
	one.ids, one.trouble = nil, nil
	return ids, trouble
}

// takeNotices returns the notices that have gathered, and the batches that staff
// did something to.
func (one *follower) takeNotices() ([]client.Notice, []string) {
	one.feed.mu.Lock()
	defer one.feed.mu.Unlock()
	notices, acted := one.notices, one.acted
	one.notices, one.acted = nil, nil
	return notices, acted
}

func (one *follower) stop() {
	one.feed.mu.Lock()
	defer one.feed.mu.Unlock()
	delete(one.feed.followers, one)
}
