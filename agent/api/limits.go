package api

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// UploadSlots bound how many documents are uploaded at once. No institution gets all of
// them, so that slow clients of one institution do not block the others.
type UploadSlots struct {
	all               chan struct{}
	maxPerInstitution int // of one institution

	mu             sync.Mutex
	perInstitution map[uint32]chan struct{}
}

// NewUploadSlots makes n slots.
func NewUploadSlots(n int) *UploadSlots {
	const kept = 8 // one of so many
	return &UploadSlots{all: make(chan struct{}, n), maxPerInstitution: max(1, n-(n+kept-1)/kept), perInstitution: map[uint32]chan struct{}{}}
}

// maxSlotWait is how long a request may wait for its slot.
const maxSlotWait = 20 * time.Second

// Acquire waits for a slot of an institution; the function gives it back.
func (s *UploadSlots) Acquire(ctx context.Context, institution uint32) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, maxSlotWait)
	defer cancel()
	own := s.forInstitution(institution)
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

func (s *UploadSlots) forInstitution(institution uint32) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perInstitution[institution] == nil {
		s.perInstitution[institution] = make(chan struct{}, s.maxPerInstitution)
	}
	return s.perInstitution[institution]
}

// RateCounter counts calls in windows of a minute. The zero value is ready.
type RateCounter struct {
	mu     sync.Mutex
	window time.Time
	counts map[string]int
}

// Count counts a call of a caller; it returns the number of the caller's calls in
// this minute, and when the next one begins.
func (r *RateCounter) Count(caller string, now time.Time) (calls int, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	window := now.Truncate(time.Minute)
	if !window.Equal(r.window) {
		r.window, r.counts = window, map[string]int{}
	}
	r.counts[caller]++
	return r.counts[caller], window.Add(time.Minute)
}

// InFlightKeys are the named calls that are being answered now. The zero value is
// ready.
type InFlightKeys[Name comparable] struct {
	mu   sync.Mutex
	keys map[Name]bool
}

// Begin notes a call; false means that one with this name is under way.
func (f *InFlightKeys[Name]) Begin(n Name) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys[n] {
		return false
	}
	if f.keys == nil {
		f.keys = map[Name]bool{}
	}
	f.keys[n] = true
	return true
}

// End forgets a call.
func (f *InFlightKeys[Name]) End(n Name) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.keys, n)
}

// Limits are what clients may ask for; zero values are the defaults.
type Limits struct {
	// PerMinute is how many calls a token may make in a minute; 0 is any number.
	PerMinute int
	// Uploads is how many requests may be handing in documents at once.
	Uploads int
}

// defaultUploads at once stay far under the memory that a small machine has.
const defaultUploads = 64

func (l Limits) orDefault() Limits {
	l.Uploads = cmp.Or(l.Uploads, defaultUploads)
	return l
}

// checkRate counts a call of a token and refuses it when the limit is reached.
func (a *API) checkRate(w http.ResponseWriter, who Caller) error {
	most := a.Limits.PerMinute
	if most <= 0 || who.token == nil {
		return nil
	}
	now := a.Now()
	count, next := a.rates.Count(who.token.ID, now)
	reset := strconv.Itoa(int(next.Sub(now)/time.Second) + 1)
	w.Header().Set("RateLimit-Limit", strconv.Itoa(most))
	w.Header().Set("RateLimit-Remaining", strconv.Itoa(max(most-count, 0)))
	w.Header().Set("RateLimit-Reset", reset)
	if count <= most {
		return nil
	}
	w.Header().Set("Retry-After", reset)
	return newStatusError(http.StatusTooManyRequests, "Too Many Attempts.")
}
