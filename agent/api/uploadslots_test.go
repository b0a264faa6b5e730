package api

import (
	"context"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/vecctl/vecctl/pkg/fault"
)

// acquireAll takes slots until there is none for the caller, and returns how many it got.
func acquireAll(t *testing.T, s *UploadSlots, institution uint32, id string) (n int, release func()) {
	t.Helper()
	for {
		r, err := s.Acquire(t.Context(), institution, id, 1)
		if fault.Is(err, fault.Unavailable) {
			return n, release
		}
		if err != nil {
			t.Fatal(err)
		}
		n, release = n+1, r
	}
}

// TestUploadSlots keeps some slots from a token that takes all it can get, from many such
// tokens, and from an institution.
func TestUploadSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewUploadSlots(64)
		n, release := acquireAll(t, s, 1, "a")
		if n != 32 {
			t.Errorf("one token has %d slots, want 32", n)
		}
		release()
		if n, _ := acquireAll(t, s, 1, "a"); n != 1 {
			t.Errorf("a slot that was given back was taken %d times", n)
		}
		for i := range 20 { // more and more tokens that stall
			if n, _ := acquireAll(t, s, 1, strconv.Itoa(i)); n < 1 {
				t.Fatalf("token %d found no slot", i+2)
			}
			if s.used == s.maxPerInstitution {
				break
			}
		}
		if n, _ := acquireAll(t, s, 1, "late"); s.used < 56 && n < 1 {
			t.Errorf("with %d of 64 slots in use a new token found none", s.used)
		}
		if n, _ := acquireAll(t, s, 2, "other"); n < 1 {
			t.Error("another institution found no slot")
		}
	})
	if _, err := NewUploadSlots(1).Acquire(t.Context(), 1, "a", 1); err != nil {
		t.Errorf("the only slot: %v", err)
	}
}

// TestSlotsAreWaitedFor gives a slot to a request that waits when one comes free, and none to a
// request that has ended.
func TestSlotsAreWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewUploadSlots(1)
		release, err := s.Acquire(t.Context(), 1, "a", 1)
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		results := make(chan error, 3)
		wait := func(ctx context.Context) {
			r, err := s.Acquire(ctx, 2, "b", 1)
			results <- err
			if err == nil {
				r()
			}
		}
		go wait(ended)
		synctest.Wait()
		cancel()
		if err := <-results; !fault.Is(err, fault.Unavailable) {
			t.Errorf("a request that ended: %v", err)
		}
		go wait(t.Context())
		go wait(t.Context())
		synctest.Wait()
		release()
		for range 2 {
			if err := <-results; err != nil {
				t.Errorf("after a slot came free: %v", err)
			}
		}
		synctest.Wait() // until both have given theirs back
		if s.used != 0 || len(s.perCaller) != 0 || s.perInstitution[1]+s.perInstitution[2] != 0 {
			t.Errorf("%d slots are in use by %v", s.used, s.perCaller)
		}
	})
}

// TestSlotsByWeight counts bodies that are kept in memory by their size.
func TestSlotsByWeight(t *testing.T) {
	t.Parallel()
	for size, want := range map[int64]int{0: 1, 1: 1, bytesPerSlot: 1, bytesPerSlot + 1: 2, maxBulkBody: 24, -1: 24, 1 << 40: 24} {
		if got := slotsFor(&http.Request{ContentLength: size}, maxBulkBody); got != want {
			t.Errorf("a body of %d bytes has %d slots, want %d", size, got, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := NewUploadSlots(MaxUploads)
		release, err := s.Acquire(t.Context(), 1, "a", 24)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Acquire(t.Context(), 1, "a", 24); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a second large request of one token: %v", err)
		}
		if _, err := s.Acquire(t.Context(), 1, "b", 16); err != nil {
			t.Errorf("a large request of another: %v", err)
		}
		release()
	})
}
