package api

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/vecctl/vecctl/pkg/fault"
)

// UploadSlots bound how many documents are uploaded at once. No institution gets all of
// them, so that slow clients of one institution do not block the others.
type UploadSlots struct {
	all               *semaphore.Weighted
	maxPerInstitution int64

	mu             sync.Mutex
	perInstitution map[uint32]*semaphore.Weighted
}

// NewUploadSlots makes n slots.
func NewUploadSlots(n int) *UploadSlots {
	const kept = 8 // one of so many
	return &UploadSlots{all: semaphore.NewWeighted(int64(n)), maxPerInstitution: int64(max(1, n-(n+kept-1)/kept)),
		perInstitution: map[uint32]*semaphore.Weighted{}}
}

// maxSlotWait is how long a request may wait for its slot.
const maxSlotWait = 20 * time.Second

// Acquire waits for a slot of an institution; the function gives it back.
func (s *UploadSlots) Acquire(ctx context.Context, institution uint32) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, maxSlotWait)
	defer cancel()
	own := s.forInstitution(institution)
	if err = own.Acquire(ctx, 1); err == nil {
		if err = s.all.Acquire(ctx, 1); err != nil {
			own.Release(1)
		}
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "Too many uploads at once; send this one again.")
	}
	return func() { s.all.Release(1); own.Release(1) }, nil
}

func (s *UploadSlots) forInstitution(institution uint32) *semaphore.Weighted {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.perInstitution[institution] == nil {
		s.perInstitution[institution] = semaphore.NewWeighted(s.maxPerInstitution)
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

// MaxUploads at once stay far under the memory that a small machine has.
const MaxUploads = 64

// checkRate counts a call of a token and refuses it when the limit is reached.
func (a *API) checkRate(w http.ResponseWriter, who Caller) error {
	most := a.PerMinute
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
