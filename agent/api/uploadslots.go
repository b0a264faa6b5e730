package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// MaxUploads at once stay far under the memory that a small machine has.
const MaxUploads = 64

// UploadSlots bound how many documents are uploaded at once. A caller, a token or the
// staff, has at most as many slots as it leaves free, and no institution gets all of
// them: however many uploads of some callers stall, the next caller finds a slot.
type UploadSlots struct {
	total, maxPerInstitution int

	mu             sync.Mutex
	used           int
	perCaller      map[slotCaller]int
	perInstitution map[uint32]int
	released       chan struct{} // closed when a slot is given back
}

// slotCaller is who has slots.
type slotCaller struct {
	institution uint32
	id          string
}

// NewUploadSlots makes n slots.
func NewUploadSlots(n int) *UploadSlots {
	const kept = 8 // one of so many
	return &UploadSlots{total: n, maxPerInstitution: max(1, n-(n+kept-1)/kept),
		perCaller: map[slotCaller]int{}, perInstitution: map[uint32]int{}, released: make(chan struct{})}
}

// maxSlotWait is how long a request may wait for its slots.
const maxSlotWait = 20 * time.Second

// Acquire waits for n slots of a caller; the function gives them back.
func (s *UploadSlots) Acquire(ctx context.Context, institution uint32, id string, n int) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, maxSlotWait)
	defer cancel()
	caller := slotCaller{institution, id}
	for {
		wait := s.take(caller, n)
		if wait == nil {
			return func() { s.release(caller, n) }, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, fault.New(fault.Unavailable, "Too many uploads at once; send this one again.")
		}
	}
}

// take takes slots of a caller. Where there are none for it, it returns what is closed
// when that may have changed.
func (s *UploadSlots) take(caller slotCaller, n int) (wait <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	left := s.total - s.used - n // when they are taken
	if left < 0 || s.perCaller[caller] > left || s.perInstitution[caller.institution]+n > s.maxPerInstitution {
		return s.released
	}
	s.used += n
	s.perCaller[caller] += n
	s.perInstitution[caller.institution] += n
	return nil
}

func (s *UploadSlots) release(caller slotCaller, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
	s.perInstitution[caller.institution] -= n
	if s.perCaller[caller] -= n; s.perCaller[caller] == 0 {
		delete(s.perCaller, caller)
	}
	close(s.released)
	s.released = make(chan struct{})
}

// bytesPerSlot is how much of a request's body is in memory for one slot: a document goes
// to the disk as it comes, the entries of a bulk request are kept.
const bytesPerSlot = 4 << 20

// slotsFor are the slots of a request whose body is kept. One that does not say how large
// it is counts as one that is as large as it may be.
func slotsFor(r *http.Request, most int64) int {
	size := r.ContentLength
	if size < 0 || size > most {
		size = most
	}
	return int(max(1, (size+bytesPerSlot-1)/bytesPerSlot))
}
