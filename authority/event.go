package authority

import (
	"encoding/json"
	"fmt"
	"time"
)

// EventName names what a store is told (contract, "Webhook Events").
type EventName string

// The events.
const (
	EventRevoked  EventName = "certification.revoked"
	EventExpiring EventName = "certification.expiring"
)

// Event is what a store is told of one of its certifications. Body is the JSON
// that is sent, byte for byte, with every attempt.
type Event struct {
	Seq       uint64    `json:"seq"` // given by the store
	Name      EventName `json:"name"`
	Store     string    `json:"store"`
	Domain    string    `json:"domain"`
	Timestamp time.Time `json:"timestamp"`
	Body      []byte    `json:"body"`
}

func (c Certification) event(name EventName, now time.Time, data any) (Event, error) {
	now = seconds(now)
	body, err := json.Marshal(struct {
		Event     EventName `json:"event"`
		Timestamp time.Time `json:"timestamp"`
		Data      any       `json:"data"`
	}{name, now, data})
	if err != nil {
		return Event{}, fmt.Errorf("encoding the event %s: %w", name, err)
	}
	return Event{Name: name, Store: c.Store, Domain: c.Domain, Timestamp: now, Body: body}, nil
}

// RevokedEvent returns the event of a revocation.
func (c Certification) RevokedEvent() (Event, error) {
	return c.event(EventRevoked, c.RevokedAt, struct {
		Domain string `json:"domain"`
		Hash   string `json:"verification_hash"`
		Reason string `json:"reason"`
	}{c.Domain, c.Hash, c.Reason})
}

// ExpiringEvent returns the event of a term that ends soon.
func (c Certification) ExpiringEvent(now time.Time) (Event, error) {
	return c.event(EventExpiring, now, struct {
		Domain    string    `json:"domain"`
		Hash      string    `json:"verification_hash"`
		ExpiresAt time.Time `json:"expires_at"`
		DaysLeft  int       `json:"days_remaining"`
	}{c.Domain, c.Hash, c.ExpiresAt, c.DaysLeft(now)})
}
