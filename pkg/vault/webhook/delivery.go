package webhook

import (
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// How deliveries are tried (guide, step 10): once, and up to three times more. It is also
// the policy of vault.JobWebhook.
const (
	MaxAttempts    = 4
	RetryPause     = 30 * time.Second
	AttemptTimeout = 10 * time.Second // for all of one attempt
)

// Sizes of what an endpoint answers.
const (
	MaxResponseRead = 64 << 10 // bytes that are read of it at most
	MaxResponseKept = 4 << 10  // bytes that are kept
	maxAttemptsKept = 12       // attempts that are kept of one delivery, the latest
)

// State is where a delivery stands.
type State string

// The states of a delivery.
const (
	Pending   State = "pending"
	Delivered State = "success"
	GivenUp   State = "failed"
)

// Delivery is one event on its way to one endpoint. Its body is kept beside it and
// never changes.
type Delivery struct {
	ID       uint64 `json:"id"`   // given by the store, in order of creation
	UUID     string `json:"uuid"` // the delivery_id
	Endpoint string `json:"endpoint"`
	Subscriber
	Event     vault.EventType `json:"event"`
	Subject   string          `json:"subject"` // UUID of the certificate, or whatever the event is about
	Timestamp time.Time       `json:"timestamp"`
	CreatedAt time.Time       `json:"created_at"`

	State    State     `json:"state"`
	Tries    int       `json:"tries"` // since the delivery was last asked for
	RunAt    time.Time `json:"run_at"`
	Attempts []Attempt `json:"attempts,omitempty"`
}

// Attempt is one request and its answer.
type Attempt struct {
	At       time.Time     `json:"at"`
	Duration time.Duration `json:"took"`
	Status   int           `json:"status,omitempty"` // of HTTP; 0 where no answer came
	Error    string        `json:"error,omitempty"`
	Response []byte        `json:"answer,omitempty"` // its start
}

// OK reports whether the endpoint has taken the delivery: a redirect is none.
func (a Attempt) OK() bool { return a.Error == "" && a.Status >= 200 && a.Status < 300 }

// ApplyAttempt is what an attempt makes of a delivery and of its endpoint.
func ApplyAttempt(e Endpoint, d Delivery, a Attempt) (Endpoint, Delivery) {
	d = d.withAttempt(a)
	switch {
	case a.OK():
		d.State = Delivered
		return e.markDelivered(a), d
	case d.Tries < MaxAttempts:
		d.RunAt = a.At.Add(a.Duration + RetryPause)
		return e, d
	}
	d.State = GivenUp
	e.LastStatus, e.LastAt = Failed, a.At
	e.Failures++
	if e.Failures >= SuspendAfter && !e.Suspended() {
		e.SuspendedAt = a.At
	}
	return e, d
}

// ApplyTestAttempt is After for a delivery that staff asked for to try an endpoint: one
// attempt, and a failure does not count.
func ApplyTestAttempt(e Endpoint, d Delivery, a Attempt) (Endpoint, Delivery) {
	d = d.withAttempt(a)
	if a.OK() {
		d.State = Delivered
		return e.markDelivered(a), d
	}
	d.State = GivenUp
	e.LastStatus, e.LastAt = Failed, a.At
	return e, d
}

func (e Endpoint) markDelivered(a Attempt) Endpoint {
	e.LastStatus, e.LastAt, e.Failures = Success, a.At, 0
	return e.Resume()
}

func (d Delivery) withAttempt(a Attempt) Delivery {
	a.Response = a.Response[:min(len(a.Response), MaxResponseKept)]
	all := append(append([]Attempt(nil), d.Attempts...), a)
	d.Attempts = all[max(0, len(all)-maxAttemptsKept):]
	d.Tries++
	return d
}

// NotYetDue reports whether the next attempt at the delivery is still to wait. None waits longer
// than the pause before it: one that seems to was put off before the clock was set back.
func (d Delivery) NotYetDue(now time.Time) bool {
	wait := d.RunAt.Sub(now)
	return wait > 0 && d.Tries > 0 && wait <= RetryPause
}

// Redeliver asks for the delivery anew: at once, with all its attempts before it.
func (d Delivery) Redeliver(e Endpoint, now time.Time) (Delivery, error) {
	if !e.Live() {
		return d, fault.Newf(fault.Illegal, "delivery %s cannot be sent again: its endpoint was deleted", d.UUID)
	}
	if d.Event == EventTest {
		return d, fault.Newf(fault.Illegal, "delivery %s was a test; test the endpoint again instead", d.UUID)
	}
	d.State, d.Tries, d.RunAt = Pending, 0, now
	return d, nil
}

// Filter selects deliveries; empty fields do not restrict, and all that are set
// must hold.
type Filter struct {
	Institution uint32
	Endpoint    string
	State       State
	From, To    time.Time // of their making, From inclusive, To exclusive
	Before      uint64    // only IDs below; 0 for all
}

// Matches reports whether the filter selects a delivery.
func (f Filter) Matches(d Delivery) bool {
	return d.Institution == f.Institution && (f.Endpoint == "" || d.Endpoint == f.Endpoint) &&
		(f.State == "" || d.State == f.State) && (f.Before == 0 || d.ID < f.Before) &&
		(f.From.IsZero() || !d.CreatedAt.Before(f.From)) && (f.To.IsZero() || d.CreatedAt.Before(f.To))
}
