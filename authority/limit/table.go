package limit

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Table holds callers to a number of calls in a window. It has a fixed size,
// however many callers there are: 8 bytes a caller. A caller counts in
// windows of its own, which begin with its first call; what it did in the window
// before counts by the part of it that is not yet a window ago. When more call at
// once than there is room for, the ones with the fewest calls are forgotten.
//
// A library's map would take ten times the memory a caller.
type Table struct {
	most   int64
	window int64 // seconds
	seed   maphash.Seed
	rows   uint64
	locks  [locks]sync.Mutex
	slots  []slot
}

// slot is one caller. The tag tells it from the others of its row; one in some
// thousands shares its slot with another.
type slot struct {
	start     uint32 // of the window, Unix seconds; 0 for nobody
	tag       uint16
	before    uint8 // calls in the window before
	meanwhile uint8 // and in this one
}

const (
	width = 8 // slots a row
	locks = 256
)

// NewTable makes a table for a limit of at most 255 calls in a window of whole
// seconds, with room for so many callers at a time.
func NewTable(most int, window time.Duration, callers int) *Table {
	rows := uint64(max(callers/width, 1))
	return &Table{most: int64(most), window: int64(window / time.Second), seed: maphash.MakeSeed(), rows: rows, slots: make([]slot, rows*width)}
}

// Address is what a client is known by: an IPv4 address whole, of an IPv6 address
// the network, since a customer has all of it.
func Address(a netip.Addr) []byte {
	a = a.Unmap()
	if a.Is6() {
		network, _ := a.Prefix(64)
		a = network.Addr()
	}
	return a.AsSlice()
}

// Admit counts a call, or returns how long its caller must wait.
func (t *Table) Admit(caller []byte, now time.Time) time.Duration {
	h := maphash.Bytes(t.seed, caller)
	row, tag := h%t.rows, uint16(h>>48)
	lock := &t.locks[row%locks]
	lock.Lock()
	defer lock.Unlock()
	moment := now.Unix()
	s := t.find(t.slots[row*width:(row+1)*width], tag, moment)
	t.move(s, moment)
	if wait := t.wait(s, moment); wait > 0 {
		return time.Duration(wait) * time.Second
	}
	s.meanwhile++
	return 0
}

// find returns a caller's slot; where it has none, the one that is missed least.
func (t *Table) find(row []slot, tag uint16, now int64) *slot {
	least, calls := &row[0], int64(1<<62)
	for i := range row {
		s := &row[i]
		if s.start != 0 && s.tag == tag {
			return s
		}
		if n := t.worth(s, now); n < calls {
			least, calls = s, n
		}
	}
	*least = slot{tag: tag}
	return least
}

// worth is how many calls would be forgotten with a slot, about.
func (t *Table) worth(s *slot, now int64) int64 {
	if age := now - int64(s.start); s.start == 0 || age >= 2*t.window {
		return 0
	} else if age >= t.window {
		return 1 + int64(s.meanwhile)
	}
	return 1 + int64(s.meanwhile) + int64(s.before)
}

// move brings a slot to the window in which now lies.
func (t *Table) move(s *slot, now int64) {
	switch age := now - int64(s.start); {
	case s.start == 0 || age >= 2*t.window:
		*s = slot{tag: s.tag, start: uint32(now)}
	case age >= t.window:
		*s = slot{tag: s.tag, start: s.start + uint32(t.window), before: s.meanwhile}
	case age < 0: // the clock was set back
		s.start = uint32(now)
	}
}

// wait is how many seconds a caller must wait for its next call, 0 for none.
func (t *Table) wait(s *slot, now int64) int64 {
	age, before, meanwhile := now-int64(s.start), int64(s.before), int64(s.meanwhile)
	if meanwhile >= t.most {
		// Not in this window any more; the next one begins with these in it.
		return t.window - age + t.since(meanwhile, 0)
	}
	return max(0, t.since(before, meanwhile)-age)
}

// since is from which second of a window on there is room for one more call, when
// there were some in the window before and some in this one.
func (t *Table) since(before, meanwhile int64) int64 {
	room := t.most - meanwhile - 1 // for calls of the window before
	if before <= room {
		return 0
	}
	return t.window - room*t.window/before
}
