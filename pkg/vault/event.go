package vault

import "time"

// EventType is an event's name on the wire (guide, "Available Webhook Events").
type EventType string

// The events of a vault certificate.
const (
	EventCreated  EventType = "certificate_application.created"
	EventApproved EventType = "certificate_application.approved"
	EventFailed   EventType = "certificate_application.failed"
	EventRetried  EventType = "certificate_application.retried"
)

// The events of customer-submitted applications besides.
const (
	EventProcessing EventType = "certificate_application.processing" // approved by staff
	EventRejected   EventType = "certificate_application.rejected"
)

// Events that the guide does not know: staff's screens follow them. Webhooks can subscribe to
// those that change what a certificate counts for.
const (
	EventRevoked    EventType = "certificate_application.revoked"
	EventSuperseded EventType = "certificate_application.superseded"
	EventInReview   EventType = "certificate_application.in_review"
	EventErased     EventType = "certificate_application.erased"
	EventAdopted    EventType = "certificate_application.adopted" // see Adopt
)

// ResultingStatus is the state that an event leaves a certificate of a source in, "" where it
// says nothing of it.
func (t EventType) ResultingStatus(s Source) Status {
	switch t {
	case EventCreated:
		if s == FromCustomer {
			return Pending
		}
		return Processing
	case EventRetried, EventProcessing:
		return Processing
	case EventApproved, EventAdopted:
		return Approved
	case EventFailed:
		return Failed
	case EventRejected:
		return Rejected
	case EventRevoked:
		return Revoked
	case EventInReview:
		return InReview
	case EventSuperseded, EventErased:
	}
	return ""
}

// Event is something that happened to a certificate, with the certificate's
// fields as they were then.
type Event struct {
	Seq         uint64    `json:"seq"` // given by the store, in order of happening
	Type        EventType `json:"type"`
	Institution uint32    `json:"institution"`
	Certificate uint64    `json:"certificate"` // filled in by the store
	UUID        string    `json:"uuid"`
	Reference   string    `json:"reference"`
	Batch       string    `json:"batch,omitempty"`
	Name        string    `json:"name"`
	Title       string    `json:"title"`
	Email       string    `json:"email"`
	Source      Source    `json:"source"`
	Trigger     Trigger   `json:"trigger"`
	At          time.Time `json:"at"`
}

func (c Certificate) event(t EventType, trigger Trigger, now time.Time) Event {
	return Event{
		Type: t, Institution: c.Institution, Certificate: c.ID, UUID: c.UUID,
		Reference: c.Reference, Batch: c.Batch, Name: c.Name, Title: c.Title, Email: c.Email, Source: c.Source, Trigger: trigger, At: now,
	}
}
