package signing

import (
	"testing"
	"time"
)

// recordedAlarm keeps what staff see.
type recordedAlarm struct{ message string }

func (a *recordedAlarm) Raise(message string) bool {
	is := a.message == ""
	a.message = message
	return is
}

func (a *recordedAlarm) Clear() bool {
	was := a.message != ""
	a.message = ""
	return was
}

// An institution's hold says why, lets one certificate be tried now and then, and is no other
// institution's.
func TestHolds(t *testing.T) {
	now := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	alarm := &recordedAlarm{}
	h := NewHolds(alarm)
	key := &HeldError{Reason: "the signing key has ended"}
	left := h.Set(1, key, now)
	if why, again := h.Find(1, now); why != key || again != left || left <= 0 {
		t.Errorf("held for %v, %s left", why, again)
	}
	if why, _ := h.Find(1, now.Add(-time.Hour)); why != nil {
		t.Errorf("held while the clock is set back: %v", why)
	}
	if why, _ := h.Find(2, now); why != nil {
		t.Errorf("another institution is held: %v", why)
	}
	h.Set(2, &HeldError{Reason: "the signer does not answer"}, now)
	h.Set(3, &HeldError{Reason: "the signer does not answer"}, now)
	const both = "issuing is paused: the signer does not answer; certificates wait, and issuing goes on by itself; " +
		"issuing is paused: the signing key has ended; certificates wait, and issuing goes on by itself"
	if alarm.message != both {
		t.Errorf("staff see %q", alarm.message)
	}
	now = now.Add(left)
	if why, _ := h.Find(1, now); why != nil {
		t.Errorf("nothing is tried after %s: %v", left, why)
	}
	if alarm.message != both {
		t.Errorf("the reason is gone before anything was signed: %q", alarm.message)
	}
	for id := range uint32(4) {
		h.Lift(id)
	}
	if alarm.message != "" {
		t.Errorf("staff still see %q", alarm.message)
	}
}
