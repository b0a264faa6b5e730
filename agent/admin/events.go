package admin

import (
	"context"
	"strconv"

	"github.com/vecctl/vecctl/agent/events"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// snapshotBatches is how many batches a snapshot shows.
const snapshotBatches = 50

// Snapshot returns the present state, and the number of the latest event in it.
func (s *Service) Snapshot(ctx context.Context) (adminclient.Snapshot, uint64, error) {
	// The number first: what happens meanwhile is sent once more, not lost.
	seq, err := s.store.LastEvent(ctx)
	if err != nil {
		return adminclient.Snapshot{}, 0, err
	}
	status, err := s.Status(ctx)
	if err != nil {
		return adminclient.Snapshot{}, 0, err
	}
	batches, _, err := s.store.Batches(ctx, s.institutionID(ctx), 1, snapshotBatches)
	if err != nil {
		return adminclient.Snapshot{}, 0, err
	}
	shot := adminclient.Snapshot{Status: status, Batches: make([]client.Batch, len(batches))}
	for i, b := range batches {
		shot.Batches[i] = client.FromVaultBatch(b)
	}
	return shot, seq, nil
}

// eventsPage is how many events are read at a time.
const eventsPage = 256

// EventsSince returns the events after one, then the batches that they touched as they
// are now, and the number to ask with next.
func (s *Service) EventsSince(ctx context.Context, seq uint64) ([]adminclient.Message, uint64, error) {
	institution := s.institutionID(ctx)
	found, next, err := s.store.EventsAfter(ctx, institution, seq, eventsPage)
	if err != nil {
		return nil, seq, err
	}
	var messages []adminclient.Message
	var touched []string
	seen := map[string]bool{}
	for _, e := range found {
		messages = append(messages, adminclient.Message{ID: strconv.FormatUint(e.Seq, 10), Certificate: eventToAPI(e)})
		if e.Batch != "" && !seen[e.Batch] {
			seen[e.Batch] = true
			touched = append(touched, e.Batch)
		}
	}
	for _, id := range touched {
		b, err := s.store.Batch(ctx, institution, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, seq, err
		}
		shown := client.FromVaultBatch(b)
		messages = append(messages, adminclient.Message{Batch: &shown})
	}
	return messages, next, nil
}

// Subscribe begins to gather what happens; Stop ends it.
func (s *Service) Subscribe() *events.Subscription { return s.events.Subscribe() }

// Notices returns what a subscription has gathered besides events of certificates.
func (s *Service) Notices(ctx context.Context, from *events.Subscription) (gathered []adminclient.Message) {
	notices, acted := from.TakeNotices()
	if _, trouble := from.Take(); trouble != nil {
		notices = append(notices, adminclient.Notice{Level: "error", Message: adminclient.NewProblem(trouble).Message})
	}
	for _, n := range notices {
		gathered = append(gathered, adminclient.Message{Notice: &n})
	}
	for _, id := range acted {
		if b, err := s.store.Batch(ctx, s.institutionID(ctx), id); err == nil {
			shown := client.FromVaultBatch(b)
			gathered = append(gathered, adminclient.Message{Batch: &shown})
		}
	}
	return gathered
}

// eventToAPI returns an event as the stream shows it.
func eventToAPI(e vault.Event) *adminclient.CertificateEvent {
	return &adminclient.CertificateEvent{
		Event: string(e.Type), UUID: e.UUID, ReferenceID: e.Reference, BatchID: e.Batch,
		Title: e.Title, Name: e.Name, Email: e.Email, Source: string(e.Source), Trigger: string(e.Trigger), At: e.At.UTC(),
	}
}
