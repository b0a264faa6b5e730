package service

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// RateLimiter holds callers to a number of calls in a window. It has a fixed size,
// however many callers there are: 8 bytes a caller. A caller counts in
// windows of its own, which begin with its first call; what it did in the window
// before counts by the part of it that is not yet a window ago. When more call at
// once than there is room for, the ones with the fewest calls are forgotten.
//
// A library's map would take ten times the memory a caller.
type RateLimiter struct {
	limit  int64
	window int64 // seconds
	seed   maphash.Seed
	rows   uint64
	locks  [lockCount]sync.Mutex
	slots  []rateSlot
}

// rateSlot is one caller. The tag tells it from the others of its row; one in some
// thousands shares its slot with another.
type rateSlot struct {
	start    uint32 // of the window, Unix seconds; 0 for nobody
	tag      uint16
	previous uint8 // calls in the window before
	current  uint8 // and in this one
}

const (
	slotsPerRow = 8 // slots a row
	lockCount   = 256
)

// NewRateLimiter makes a table for a limit of at most 255 calls in a window of whole
// seconds, with room for so many callers at a time.
func NewRateLimiter(most int, window time.Duration, callers int) *RateLimiter {
	rows := uint64(max(callers/slotsPerRow, 1))
	return &RateLimiter{limit: int64(most), window: int64(window / time.Second), seed: maphash.MakeSeed(), rows: rows, slots: make([]rateSlot, rows*slotsPerRow)}
}

// AddressKey is what a client is known by: an IPv4 address whole, of an IPv6 address
// the network, since a customer has all of it.
func AddressKey(a netip.Addr) []byte {
	a = a.Unmap()
	if a.Is6() {
		network, _ := a.Prefix(64)
		a = network.Addr()
	}
	return a.AsSlice()
}

// Admit counts a call, or returns how long its caller must wait.
func (t *RateLimiter) Admit(caller []byte, now time.Time) time.Duration {
	h := maphash.Bytes(t.seed, caller)
	row, tag := h%t.rows, uint16(h>>48)
	lock := &t.locks[row%lockCount]
	lock.Lock()
	defer lock.Unlock()
	moment := now.Unix()
	s := t.find(t.slots[row*slotsPerRow:(row+1)*slotsPerRow], tag, moment)
	t.advance(s, moment)
	if wait := t.wait(s, moment); wait > 0 {
		return time.Duration(wait) * time.Second
	}
	s.current++
	return 0
}

// find returns a caller's slot; where it has none, the one that is missed least.
func (t *RateLimiter) find(row []rateSlot, tag uint16, now int64) *rateSlot {
	least, calls := &row[0], int64(1<<62)
	for i := range row {
		s := &row[i]
		if s.start != 0 && s.tag == tag {
			return s
		}
		if n := t.weight(s, now); n < calls {
			least, calls = s, n
		}
	}
	*least = rateSlot{tag: tag}
	return least
}

// weight is how many calls would be forgotten with a slot, about.
func (t *RateLimiter) weight(s *rateSlot, now int64) int64 {
	if age := now - int64(s.start); s.start == 0 || age >= 2*t.window {
		return 0
	} else if age >= t.window {
		return 1 + int64(s.current)
	}
	return 1 + int64(s.current) + int64(s.previous)
}

// advance brings a slot to the window in which now lies.
func (t *RateLimiter) advance(s *rateSlot, now int64) {
	switch age := now - int64(s.start); {
	case s.start == 0 || age >= 2*t.window:
		*s = rateSlot{tag: s.tag, start: uint32(now)}
	case age >= t.window:
		*s = rateSlot{tag: s.tag, start: s.start + uint32(t.window), previous: s.current}
	case age < 0: // the clock was set back
		s.start = uint32(now)
	}
}

// wait is how many seconds a caller must wait for its next call, 0 for none.
func (t *RateLimiter) wait(s *rateSlot, now int64) int64 {
	age, before, meanwhile := now-int64(s.start), int64(s.previous), int64(s.current)
	if meanwhile >= t.limit {
		// Not in this window any more; the next one begins with these in it.
		return t.window - age + t.roomFrom(meanwhile, 0)
	}
	return max(0, t.roomFrom(before, meanwhile)-age)
}

// roomFrom is from which second of a window on there is room for one more call, when
// there were some in the window before and some in this one.
func (t *RateLimiter) roomFrom(before, meanwhile int64) int64 {
	room := t.limit - meanwhile - 1 // for calls of the window before
	if before <= room {
		return 0
	}
	return t.window - room*t.window/before
}
