package api

import (
	"testing"
	"testing/synctest"

	"github.com/vecctl/vecctl/pkg/fault"
)

// TestUploadSlots keeps some turns from an institution that takes all it can get.
func TestUploadSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := NewUploadSlots(16)
		var release func()
		for range 14 {
			r, err := s.Acquire(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			release = r
		}
		if _, err := s.Acquire(t.Context(), 1); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a fifteenth turn of one institution: %v", err)
		}
		for range 2 {
			if _, err := s.Acquire(t.Context(), 2); err != nil {
				t.Errorf("another institution: %v", err)
			}
		}
		if _, err := s.Acquire(t.Context(), 2); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a seventeenth turn: %v", err)
		}
		release()
		// What was not taken in vain is free again, for either.
		if _, err := s.Acquire(t.Context(), 2); err != nil {
			t.Errorf("a turn that was given back: %v", err)
		}
	})
	if _, err := NewUploadSlots(1).Acquire(t.Context(), 1); err != nil {
		t.Errorf("the only turn: %v", err)
	}
}
