// Package webhook is the domain of webhooks: endpoints that want to be told, what
// they are told, what became of it, and what others told us. It does no input or
// output.
package webhook

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Limits of endpoints (guide, "Webhook Setup Requirements").
const (
	MaxEndpoints = 5    // of one owner
	MaxURL       = 2048 // characters
)

// SecretOverlap is how long the old signing secret signs along after a new one was
// made.
const SecretOverlap = 24 * time.Hour

// SuspendAfter is how many deliveries in a row have to be given up for an endpoint
// to be suspended.
const SuspendAfter = 10

// Events are the names that an endpoint can subscribe to: those of the guide's
// step 8, two of our own that an endpoint gets only where it asks for them by name, and those of
// the authority's contract.
func Events() []vault.EventType {
	return []vault.EventType{
		vault.EventCreated, vault.EventProcessing, vault.EventApproved,
		vault.EventRejected, vault.EventFailed, vault.EventRetried,
		vault.EventRevoked, vault.EventSuperseded,
		"certification.revoked", "certification.expiring",
	}
}

// EventTest is the event of a delivery that staff ask for to try an endpoint.
// Nobody subscribes to it.
const EventTest vault.EventType = "webhook.test"

// Subscriber is whose events an endpoint is told: an institution's, or those of a store
// that the authority certifies.
type Subscriber struct {
	Institution uint32 `json:"institution"`
	Store       string `json:"store,omitempty"` // the authority's name for it
}

// EncryptedSecret is a secret as it is kept: encrypted.
type EncryptedSecret []byte

// Status is how an endpoint's latest delivery ended (guide, step 10).
type Status string

// How a delivery can have ended.
const (
	None    Status = "none"
	Success Status = "success"
	Failed  Status = "failed"
)

// Endpoint is an address that wants to be told of events.
type Endpoint struct {
	ID string `json:"id"` // UUID, the webhook_id
	Subscriber
	URL    string            `json:"url"`
	Events []vault.EventType `json:"events"`
	Active bool              `json:"active"`

	Secret    EncryptedSecret `json:"secret"`
	OldSecret EncryptedSecret `json:"old_secret,omitempty"` // signs along until OldUntil
	OldUntil  time.Time       `json:"old_until,omitzero"`
	SecretAt  time.Time       `json:"secret_at,omitzero"` // when the present one was made; zero for the first

	LastStatus Status    `json:"last_status"`
	LastAt     time.Time `json:"last_at,omitzero"`
	// Failures is how many deliveries in a row were given up.
	Failures    int       `json:"failures"`
	SuspendedAt time.Time `json:"suspended_at,omitzero"`

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	DeletedAt time.Time `json:"deleted_at,omitzero"`
}

// Update is what may be decided about an endpoint; nil leaves a thing as it is.
type Update struct {
	URL    *string
	Events []vault.EventType
	Active *bool
}

// New makes an endpoint; it is active unless the edit says otherwise.
func New(id string, owner Subscriber, e Update, secret EncryptedSecret, now time.Time) (Endpoint, error) {
	blank := Endpoint{ID: id, Subscriber: owner, Active: true, Secret: secret, LastStatus: None, CreatedAt: now}
	return blank.Update(e, now)
}

// Update changes an endpoint. One that is told to be active is no longer
// suspended: the person who says so has fixed it.
func (e Endpoint) Update(edit Update, now time.Time) (Endpoint, error) {
	if !e.Live() {
		return e, notFoundError()
	}
	if edit.URL != nil {
		e.URL = strings.TrimSpace(*edit.URL)
	}
	if edit.Events != nil {
		e.Events = slices.Clone(edit.Events)
		slices.Sort(e.Events)
		e.Events = slices.Compact(e.Events)
	}
	if edit.Active != nil {
		e.Active = *edit.Active
		if e.Active {
			e = e.Resume()
		}
	}
	e.UpdatedAt = now
	return e, e.validate()
}

func (e Endpoint) validate() error {
	var bad []fault.Field
	if why := checkURL(e.URL); why != "" {
		bad = append(bad, fault.Field{Name: "url", Message: why})
	}
	if len(e.Events) == 0 {
		bad = append(bad, fault.Field{Name: "events", Message: "An endpoint needs at least one event; there are " + eventNames()})
	}
	for _, name := range e.Events {
		if !slices.Contains(Events(), name) {
			bad = append(bad, fault.Field{Name: "events", Message: fmt.Sprintf("%q is not an event; the events are %s", string(name), eventNames())})
		}
	}
	return fault.InvalidFields(bad)
}

// checkURL looks at the form alone; which addresses are called is decided where
// they are called.
func checkURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return "An endpoint needs a URL"
	case utf8.RuneCountInString(s) > MaxURL:
		return fmt.Sprintf("The URL must not be longer than %d characters", MaxURL)
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return "The URL must be a valid one that begins with https://"
	case u.User != nil:
		return "The URL must not hold a user name or password"
	case u.Fragment != "":
		return "The URL must not have a part behind #; it would not be sent"
	}
	return ""
}

func eventNames() string {
	var names []string
	for _, e := range Events() {
		names = append(names, string(e))
	}
	return strings.Join(names, ", ")
}

func notFoundError() error { return fault.New(fault.NotFound, "Webhook not found.") }

// CheckLimit refuses one more endpoint where its owner has as many as there may be.
func CheckLimit(existing []Endpoint, one Endpoint) error {
	n := 0
	for _, e := range existing {
		if e.Live() && e.Subscriber == one.Subscriber {
			n++
		}
	}
	if n >= MaxEndpoints {
		return fault.Newf(fault.Invalid, "there are %d endpoints already, and no more are allowed; delete one first", n)
	}
	return nil
}

// Live reports whether the endpoint has not been deleted.
func (e Endpoint) Live() bool { return e.DeletedAt.IsZero() }

// Suspended reports whether deliveries wait because too many were given up.
func (e Endpoint) Suspended() bool { return !e.SuspendedAt.IsZero() }

// CanDeliver reports whether deliveries that are due may be tried.
func (e Endpoint) CanDeliver() bool { return e.Live() && e.Active && !e.Suspended() }

// SubscribedTo reports whether the endpoint is to be told of an event. A suspended one is: its
// deliveries wait.
func (e Endpoint) SubscribedTo(n Notification) bool {
	return e.Live() && e.Active && e.Subscriber == n.Subscriber && slices.Contains(e.Events, n.Event)
}

// Resume ends a suspension. The count of failures goes on: only a success ends
// it.
func (e Endpoint) Resume() Endpoint {
	e.SuspendedAt = time.Time{}
	return e
}

// RotateSecret puts a new signing secret in place of the present one, which signs along
// for Overlap.
func (e Endpoint) RotateSecret(secret EncryptedSecret, now time.Time) (Endpoint, error) {
	if !e.Live() {
		return e, notFoundError()
	}
	e.OldSecret, e.OldUntil = e.Secret, now.Add(SecretOverlap)
	e.Secret, e.SecretAt, e.UpdatedAt = secret, now, now
	return e, nil
}

// SecretCreatedAt is when the present signing secret was made.
func (e Endpoint) SecretCreatedAt() time.Time {
	if e.SecretAt.IsZero() {
		return e.CreatedAt
	}
	return e.SecretAt
}

// ReencryptSecrets has every secret of the endpoint encrypted anew. It says the same then, so
// nobody who knows it has to be told.
func (e Endpoint) ReencryptSecrets(seal func(EncryptedSecret) (EncryptedSecret, error)) (_ Endpoint, err error) {
	for _, one := range []*EncryptedSecret{&e.Secret, &e.OldSecret} {
		if len(*one) == 0 {
			continue
		}
		if *one, err = seal(*one); err != nil {
			return e, err
		}
	}
	return e, nil
}

// SigningSecrets are those that sign now, the present one first.
func (e Endpoint) SigningSecrets(now time.Time) []EncryptedSecret {
	if len(e.OldSecret) > 0 && now.Before(e.OldUntil) {
		return []EncryptedSecret{e.Secret, e.OldSecret}
	}
	return []EncryptedSecret{e.Secret}
}

// Delete ends the endpoint. What was delivered stays on record; its secrets do
// not.
func (e Endpoint) Delete(now time.Time) (Endpoint, error) {
	if !e.Live() {
		return e, notFoundError()
	}
	e.DeletedAt, e.UpdatedAt, e.Active = now, now, false
	e.Secret, e.OldSecret = nil, nil
	return e, nil
}
