package events

import (
	"context"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Store are where the stream reads what has happened.
type Store interface {
	LastEvent(ctx context.Context) (uint64, error)
	EventsAfter(ctx context.Context, institution uint32, seq uint64, n int) ([]vault.Event, uint64, error)
	Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error)
	Batches(ctx context.Context, institution uint32, page, perPage int) ([]vault.Batch, int, error)
}

// AdminStream is what staff see happen: a snapshot, then each event of their institution.
type AdminStream struct {
	Bus         *Bus
	Store       Store
	Institution func() uint32 // the one that staff see
	Status      func(context.Context) (adminclient.AgentStatus, error)
}

// snapshotBatches is how many batches a snapshot shows.
const snapshotBatches = 50

// Snapshot is how everything stands, and the number of the latest event in it.
func (s *AdminStream) Snapshot(ctx context.Context) (adminclient.Snapshot, uint64, error) {
	// The number first: what happens meanwhile is told once more, not lost.
	seq, err := s.Store.LastEvent(ctx)
	if err != nil {
		return adminclient.Snapshot{}, 0, err
	}
	status, err := s.Status(ctx)
	if err != nil {
		return adminclient.Snapshot{}, 0, err
	}
	batches, _, err := s.Store.Batches(ctx, s.Institution(), 1, snapshotBatches)
	if err != nil {
		return adminclient.Snapshot{}, 0, err
	}
	shot := adminclient.Snapshot{Status: status, Batches: make([]client.Batch, len(batches))}
	for i, b := range batches {
		shot.Batches[i] = client.FromVaultBatch(b)
	}
	return shot, seq, nil
}

// sinceLimit is how many events are read at a time.
const sinceLimit = 256

// Since returns the events after one, then the batches that they touched as they
// stand now.
func (s *AdminStream) Since(ctx context.Context, seq uint64) ([]adminclient.Message, uint64, error) {
	institution := s.Institution()
	events, next, err := s.Store.EventsAfter(ctx, institution, seq, sinceLimit)
	if err != nil {
		return nil, seq, err
	}
	var messages []adminclient.Message
	var touched []string
	seen := map[string]bool{}
	for _, e := range events {
		messages = append(messages, adminclient.Message{ID: strconv.FormatUint(e.Seq, 10), Certificate: EventToAPI(e)})
		if e.Batch != "" && !seen[e.Batch] {
			seen[e.Batch] = true
			touched = append(touched, e.Batch)
		}
	}
	for _, id := range touched {
		b, err := s.Store.Batch(ctx, institution, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, seq, err
		}
		shaped := client.FromVaultBatch(b)
		messages = append(messages, adminclient.Message{Batch: &shaped})
	}
	return messages, next, nil
}

// Subscribe tells when there may be something new, until stop is called.
func (s *AdminStream) Follow() (ready <-chan struct{}, besides func(context.Context) []adminclient.Message, stop func()) {
	one := s.Bus.Subscribe()
	return one.ready, func(ctx context.Context) (gathered []adminclient.Message) {
		notices, acted := one.takeNotices()
		if _, trouble := one.Take(); trouble != nil {
			notices = append(notices, adminclient.Notice{Level: "error", Message: adminclient.NewProblem(trouble).Message})
		}
		for _, n := range notices {
			gathered = append(gathered, adminclient.Message{Notice: &n})
		}
		for _, id := range acted {
			if b, err := s.Store.Batch(ctx, s.Institution(), id); err == nil {
				shaped := client.FromVaultBatch(b)
				gathered = append(gathered, adminclient.Message{Batch: &shaped})
			}
		}
		return gathered
	}, one.Stop
}

// EventToAPI is an event as the stream says it.
func EventToAPI(e vault.Event) *adminclient.CertificateEvent {
	return &adminclient.CertificateEvent{
		Event: string(e.Type), UUID: e.UUID, ReferenceID: e.Reference, BatchID: e.Batch,
		Title: e.Title, Name: e.Name, Email: e.Email, Source: string(e.Source), Trigger: string(e.Trigger), At: e.At.UTC(),
	}
}
