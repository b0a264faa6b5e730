package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Notification is an event as endpoints are told of it.
type Notification struct {
	Subscriber Subscriber
	Event      vault.EventType
	Subject    string // UUID of the certificate, or whatever the event is about
	At         time.Time
	Number     uint64 // of the event among the owner's
	// Render makes the body for an endpoint and a delivery. It does nothing but
	// compute.
	Render func(webhookID, deliveryID string) ([]byte, error)
}

// payload is the guide's body (step 8, "Webhook Payload"), in the guide's order.
type payload struct {
	Event          vault.EventType `json:"event"`
	WebhookID      string          `json:"webhook_id"`
	Timestamp      string          `json:"timestamp"`
	ApplicationID  uint64          `json:"application_id"`
	UUID           string          `json:"uuid"`
	Title          string          `json:"certificate_title"`
	Email          string          `json:"applicant_email"`
	Source         vault.Source    `json:"source"`
	TriggerContext vault.Trigger   `json:"trigger_context"`
	DeliveryID     string          `json:"delivery_id"`
}

// FormatTime writes a moment as the guide does: 2026-06-04T10:30:00Z.
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// NotificationOf is what is told of a certificate's event, once it has its number.
func NotificationOf(e vault.Event) Notification {
	return Notification{
		Subscriber: Subscriber{Institution: e.Institution}, Event: e.Type, Subject: e.UUID, At: e.At, Number: e.Seq,
		Render: func(webhookID, deliveryID string) ([]byte, error) {
			return encode(payload{
				Event: e.Type, WebhookID: webhookID, Timestamp: FormatTime(e.At), ApplicationID: e.Certificate, UUID: e.UUID,
				Title: e.Title, Email: e.Email, Source: e.Source, TriggerContext: e.Trigger, DeliveryID: deliveryID,
			})
		},
	}
}

// TestNotification is what an endpoint is told to try it: a body of the usual shape that
// speaks of no certificate.
func TestNotification(owner Subscriber, now time.Time) Notification {
	return Notification{
		Subscriber: owner, Event: EventTest, Subject: uuid.Nil.String(), At: now,
		Render: func(webhookID, deliveryID string) ([]byte, error) {
			return encode(payload{
				Event: EventTest, WebhookID: webhookID, Timestamp: FormatTime(now), UUID: uuid.Nil.String(),
				Title: "Test", Email: "test@example.com", Source: vault.FromVault, TriggerContext: "admin", DeliveryID: deliveryID,
			})
		},
	}
}

// RenderedNotification is News whose body is made already and the same for all: the authority's.
func RenderedNotification(owner Subscriber, event vault.EventType, subject string, at time.Time, number uint64, body []byte) Notification {
	return Notification{Subscriber: owner, Event: event, Subject: subject, At: at, Number: number,
		Render: func(string, string) ([]byte, error) { return body, nil }}
}

func encode(p payload) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("encoding a webhook's body: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// DeliveryTo makes the delivery of news to an endpoint. Its UUID follows from what is told
// and to whom, so that the store needs no random numbers; the moment and the subject
// are in it because a home that was restored counts its events anew.
func (n Notification) DeliveryTo(e Endpoint, now time.Time) (Delivery, []byte, error) {
	space, err := uuid.Parse(e.ID)
	if err != nil {
		return Delivery{}, nil, fmt.Errorf("the endpoint %q has no UUID: %w", e.ID, err)
	}
	name := fmt.Sprintf("%s %s %s %d", n.Event, n.Subject, strconv.FormatInt(n.At.UnixNano(), 10), n.Number)
	d := Delivery{
		UUID: uuid.NewSHA1(space, []byte(name)).String(), Endpoint: e.ID, Subscriber: e.Subscriber, Event: n.Event, Subject: n.Subject,
		Timestamp: n.At, CreatedAt: now, State: Pending, RunAt: now,
	}
	body, err := n.Render(e.ID, d.UUID)
	return d, body, err
}
