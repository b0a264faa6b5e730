package feed

import (
	"context"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Records are where the stream reads what has happened.
type Records interface {
	LastEvent(ctx context.Context) (uint64, error)
	EventsAfter(ctx context.Context, institution uint32, seq uint64, n int) ([]vault.Event, uint64, error)
	Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error)
	Batches(ctx context.Context, institution uint32, page, perPage int) ([]vault.Batch, int, error)
}

// Stream is what staff see happen: a snapshot, then each event of their institution.
type Stream struct {
	Feed        *Feed
	Records     Records
	Institution func() uint32 // the one that staff see
	Status      func(context.Context) (staff.AgentStatus, error)
}

// snapshotBatches is how many batches a snapshot shows.
const snapshotBatches = 50

// Snapshot is how everything stands, and the number of the latest event in it.
func (s *Stream) Snapshot(ctx context.Context) (staff.Snapshot, uint64, error) {
	// The number first: what happens meanwhile is told once more, not lost.
	seq, err := s.Records.LastEvent(ctx)
	if err != nil {
		return staff.Snapshot{}, 0, err
	}
	status, err := s.Status(ctx)
	if err != nil {
		return staff.Snapshot{}, 0, err
	}
	batches, _, err := s.Records.Batches(ctx, s.Institution(), 1, snapshotBatches)
	if err != nil {
		return staff.Snapshot{}, 0, err
	}
	shot := staff.Snapshot{Status: status, Batches: make([]client.Batch, len(batches))}
	for i, b := range batches {
		shot.Batches[i] = ShapeBatch(b)
	}
	return shot, seq, nil
}

// sinceGroup is how many events are read at a time.
const sinceGroup = 256

// Since returns the events after one, then the batches that they touched as they
// stand now.
func (s *Stream) Since(ctx context.Context, seq uint64) ([]staff.Message, uint64, error) {
	institution := s.Institution()
	events, next, err := s.Records.EventsAfter(ctx, institution, seq, sinceGroup)
	if err != nil {
		return nil, seq, err
	}
	var messages []staff.Message
	var touched []string
	seen := map[string]bool{}
	for _, e := range events {
		messages = append(messages, staff.Message{ID: strconv.FormatUint(e.Seq, 10), Certificate: ShapeEvent(e)})
		if e.Batch != "" && !seen[e.Batch] {
			seen[e.Batch] = true
			touched = append(touched, e.Batch)
		}
	}
	for _, id := range touched {
		b, err := s.Records.Batch(ctx, institution, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, seq, err
		}
		shaped := ShapeBatch(b)
		messages = append(messages, staff.Message{Batch: &shaped})
	}
	return messages, next, nil
}

// Follow tells when there may be something new, until stop is called.
func (s *Stream) Follow() (ready <-chan struct{}, besides func(context.Context) []staff.Message, stop func()) {
	one := s.Feed.Follow()
	return one.ready, func(ctx context.Context) (gathered []staff.Message) {
		notices, acted := one.takeNotices()
		if _, trouble := one.Take(); trouble != nil {
			notices = append(notices, staff.Notice{Level: "error", Message: staff.NewProblem(trouble).Message})
		}
		for _, n := range notices {
			gathered = append(gathered, staff.Message{Notice: &n})
		}
		for _, id := range acted {
			if b, err := s.Records.Batch(ctx, s.Institution(), id); err == nil {
				shaped := ShapeBatch(b)
				gathered = append(gathered, staff.Message{Batch: &shaped})
			}
		}
		return gathered
	}, one.Stop
}

// ShapeEvent is an event as the stream says it.
func ShapeEvent(e vault.Event) *staff.CertificateEvent {
	return &staff.CertificateEvent{
		Event: string(e.Type), UUID: e.UUID, ReferenceID: e.Reference, BatchID: e.Batch,
		Title: e.Title, Name: e.Name, Email: e.Email, Source: string(e.Source), Trigger: string(e.Trigger), At: e.At.UTC(),
	}
}

// ShapeBatch is a batch as every face shows it.
func ShapeBatch(b vault.Batch) client.Batch {
	return client.Batch{
		BatchID: b.ID, Name: b.Name, Status: string(b.State()), Trigger: string(b.Trigger), Total: b.Total,
		Processing: b.Counts.Processing, Approved: b.Counts.Approved, Failed: b.Counts.Failed, Revoked: b.Counts.Revoked,
		CreatedAt: b.CreatedAt.UTC(),
	}
}
