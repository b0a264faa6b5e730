// Package gate counts callers: how many hand in documents at once, how many calls
// a token makes in a minute, and which named calls are under way.
package gate

import (
	"context"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Slots are the turns to hand in documents. Some are kept from each institution, so
// that whoever sends slowly keeps nobody but his own from their turn.
type Slots struct {
	all  chan struct{}
	most int // of one institution

	mu  sync.Mutex
	own map[uint32]chan struct{}
}

// NewSlots makes n turns.
func NewSlots(n int) *Slots {
	const kept = 8 // one of so many
	return &Slots{all: make(chan struct{}, n), most: max(1, n-(n+kept-1)/kept), own: map[uint32]chan struct{}{}}
}

// slotWait is how long a request may wait for its turn.
const slotWait = 20 * time.Second

// Take waits for a turn of an institution; the function gives it back.
func (s *Slots) Take(ctx context.Context, institution uint32) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, slotWait)
	defer cancel()
	own := s.of(institution)
	for n, turns := range []chan struct{}{own, s.all} {
		select {
		case turns <- struct{}{}:
		case <-ctx.Done():
			if n > 0 {
				<-own
			}
			return nil, fault.New(fault.Unavailable, "Too many uploads at once; send this one again.")
		}
	}
	return func() { <-s.all; <-own }, nil
}

func (s *Slots) of(institution uint32) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.own[institution] == nil {
		s.own[institution] = make(chan struct{}, s.most)
	}
	return s.own[institution]
}

// Rates counts calls in windows of a minute. The zero value is ready.
type Rates struct {
	mu     sync.Mutex
	window time.Time
	counts map[string]int
}

// Count counts a call of a caller; it returns the number of the caller's calls in
// this minute, and when the next one begins.
func (r *Rates) Count(caller string, now time.Time) (calls int, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	window := now.Truncate(time.Minute)
	if !window.Equal(r.window) {
		r.window, r.counts = window, map[string]int{}
	}
	r.counts[caller]++
	return r.counts[caller], window.Add(time.Minute)
}

// Flights are the named calls that are being answered now. The zero value is
// ready.
type Flights[Name comparable] struct {
	mu  sync.Mutex
	now map[Name]bool
}

// Begin notes a call; false means that one with this name is under way.
func (f *Flights[Name]) Begin(n Name) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now[n] {
		return false
	}
	if f.now == nil {
		f.now = map[Name]bool{}
	}
	f.now[n] = true
	return true
}

// End forgets a call.
func (f *Flights[Name]) End(n Name) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.now, n)
}
