package service

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

var begun = time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)

// Whatever comes when, no window of an hour has more than five admitted calls, and
// who waits as long as told is admitted.
func TestTheLogIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var times, admitted []int64
	now := begun
	for range 3000 {
		now = now.Add(time.Duration(random.IntN(1200)) * time.Second)
		kept, wait := AdmitSlidingLog(times, 5, time.Hour, now)
		if wait > 0 {
			if _, again := AdmitSlidingLog(times, 5, time.Hour, now.Add(wait-time.Second)); again == 0 {
				t.Fatalf("told to wait %v, but a second less would do", wait)
			}
			now = now.Add(wait)
			if kept, wait = AdmitSlidingLog(times, 5, time.Hour, now); wait != 0 {
				t.Fatalf("after the time that was told, still %v", wait)
			}
		}
		times, admitted = kept, append(admitted, now.Unix())
		if n := len(admitted); n > 5 && admitted[n-1]-admitted[n-6] < 3600 {
			t.Fatalf("six calls within %d s", admitted[n-1]-admitted[n-6])
		}
		if len(times) > 5 {
			t.Fatalf("%d times are kept", len(times))
		}
	}
}

func TestAClockThatWasSetBack(t *testing.T) {
	var times []int64
	for range 5 {
		times, _ = AdmitSlidingLog(times, 5, time.Hour, begun.AddDate(10, 0, 0))
	}
	if _, wait := AdmitSlidingLog(times, 5, time.Hour, begun); wait != time.Hour {
		t.Errorf("wait %v, want an hour", wait)
	}
	table := NewRateLimiter(2, time.Minute, 100)
	for range 2 {
		table.Admit([]byte("a"), begun.AddDate(1, 0, 0))
	}
	if wait := table.Admit([]byte("a"), begun); wait <= 0 || wait > 2*time.Minute {
		t.Errorf("wait %v", wait)
	}
}

func TestTheTableHoldsTheLimit(t *testing.T) {
	table := NewRateLimiter(100, time.Minute, 1<<20)
	a, b := []byte("a"), []byte("b")
	now := begun
	for i := range 100 {
		if wait := table.Admit(a, now); wait != 0 {
			t.Fatalf("call %d must wait %v", i+1, wait)
		}
		now = now.Add(200 * time.Millisecond)
	}
	wait := table.Admit(a, now)
	if wait < 40*time.Second || wait > 42*time.Second {
		t.Errorf("call 101 must wait %v", wait)
	}
	if table.Admit(b, now) != 0 {
		t.Error("another caller must wait too")
	}
	if w := table.Admit(a, now.Add(wait-time.Second)); w != time.Second {
		t.Errorf("a second before the end of the wait: %v", w)
	}
	if w := table.Admit(a, now.Add(wait)); w != 0 {
		t.Errorf("after the wait: %v", w)
	}
	if w := table.Admit(a, now.Add(time.Hour)); w != 0 {
		t.Errorf("after an hour: %v", w)
	}
}

// A caller that always calls as soon as it may comes to the limit's rate.
func TestTheTablesRate(t *testing.T) {
	table := NewRateLimiter(60, time.Minute, 1<<20)
	n := 0
	for now := begun; now.Before(begun.Add(time.Hour)); {
		wait := table.Admit([]byte("a"), now)
		if wait == 0 {
			n++
		}
		now = now.Add(wait)
	}
	if n < 60*40 || n > 60*61 {
		t.Errorf("%d calls in an hour", n)
	}
}

func TestAddresses(t *testing.T) {
	same := func(a, b string) bool {
		return string(AddressKey(netip.MustParseAddr(a))) == string(AddressKey(netip.MustParseAddr(b)))
	}
	if !same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9") || same("2001:db8:1:2::1", "2001:db8:1:3::1") ||
		!same("192.0.2.1", "::ffff:192.0.2.1") || same("192.0.2.1", "192.0.2.2") {
		t.Error("addresses are told apart wrongly")
	}
}

// The bench does the same with a million.
func TestManyCallers(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table := NewRateLimiter(100, time.Minute, 1<<16)
	loud := []byte("loud")
	for range 100 {
		table.Admit(loud, begun)
	}
	for i := range uint32(75_000) {
		if wait := table.Admit(binary.BigEndian.AppendUint32(nil, i), begun); wait != 0 {
			t.Fatalf("caller %d must wait %v at once", i, wait)
		}
	}
	if table.Admit(loud, begun) == 0 {
		t.Error("many callers wash out the limit of one")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if took := int64(after.HeapAlloc) - int64(before.HeapAlloc); took > 1<<20 {
		t.Errorf("%d bytes for 65,536 callers at a time", took)
	}
	runtime.KeepAlive(table)
}
