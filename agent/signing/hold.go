package signing

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// HeldError says why nothing of an institution can be signed at present. It is not the
// document's fault: certificates wait, and none fails.
type HeldError struct {
	Reason string // what is wrong and what to do, as a sentence without its end
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("issuing is paused: %s; certificates wait, and issuing goes on by itself", e.Reason)
}

// Unwrap has callers that wait for certificates be told that they may come back.
func (e *HeldError) Unwrap() error { return fault.New(fault.Unavailable, e.Error()) }

// Alarm is a problem that staff see as long as it lasts. A health.Alarm is one.
type Alarm interface {
	// Raise and Clear report whether that is new.
	Raise(message string) bool
	Clear() bool
}

// holdRetry is how long certificates of an institution wait until one of them is tried again.
const holdRetry = 5 * time.Second

// Holds are the institutions for which nothing can be signed at present, each with the reason.
type Holds struct {
	alarm Alarm

	mu   sync.Mutex
	held map[uint32]hold
}

type hold struct {
	why   *HeldError
	until time.Time // from then on a certificate is tried
}

// NewHolds returns holds of no institution.
func NewHolds(alarm Alarm) *Holds {
	return &Holds{alarm: alarm, held: map[uint32]hold{}}
}

// Set holds the certificates of an institution. The result is how long it takes until one may be
// tried again.
func (h *Holds) Set(institution uint32, why *HeldError, now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held[institution] = hold{why, now.Add(holdRetry)}
	h.show()
	return holdRetry
}

// Lift ends the hold of an institution, if there is one.
func (h *Holds) Lift(institution uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, held := h.held[institution]; held {
		delete(h.held, institution)
		h.show()
	}
}

// Find returns why an institution's certificates wait, and for how long; nil where one may be
// tried. What seems to wait for longer than a hold was held before the clock was set back.
func (h *Holds) Find(institution uint32, now time.Time) (why *HeldError, left time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if one, held := h.held[institution]; held {
		if left := one.until.Sub(now); left > 0 && left <= holdRetry {
			return one.why, left
		}
	}
	return nil, 0
}

// show has staff see the holds that there are.
func (h *Holds) show() {
	if len(h.held) == 0 {
		h.alarm.Clear()
		return
	}
	var reasons []string
	for _, one := range h.held {
		reasons = append(reasons, one.why.Error())
	}
	slices.Sort(reasons)
	reasons = slices.Compact(reasons)
	h.alarm.Raise(strings.Join(reasons, "; "))
}
