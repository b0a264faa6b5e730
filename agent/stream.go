package agent

import (
	"context"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// wake says that something was committed: there may be work, and there is news.
func (a *Agent) wake() {
	a.processor.Wake()
	a.post.Wake()
	a.feed.news()
}

// snapshotBatches is how many batches a snapshot shows.
const snapshotBatches = 50

// Snapshot is how everything stands, and the number of the latest event in it.
func (a *Agent) Snapshot(ctx context.Context) (client.Snapshot, uint64, error) {
	// The number first: what happens meanwhile is told once more, not lost.
	seq, err := a.store.LastEvent(ctx)
	if err != nil {
		return client.Snapshot{}, 0, err
	}
	status, err := a.Status(ctx)
	if err != nil {
		return client.Snapshot{}, 0, err
	}
	batches, _, err := a.store.Batches(ctx, a.Institution().ID, 1, snapshotBatches)
	if err != nil {
		return client.Snapshot{}, 0, err
	}
	s := client.Snapshot{Status: status, Batches: make([]client.Batch, len(batches))}
	for i, b := range batches {
		s.Batches[i] = shapeBatch(b)
	}
	return s, seq, nil
}

// sinceGroup is how many events are read at a time.
const sinceGroup = 256

// Since returns the events after one, then the batches that they touched as they
// stand now.
func (a *Agent) Since(ctx context.Context, seq uint64) ([]client.Message, uint64, error) {
	institution := a.Institution().ID
	events, next, err := a.store.EventsAfter(ctx, institution, seq, sinceGroup)
	if err != nil {
		return nil, seq, err
	}
	var messages []client.Message
	var touched []string
	seen := map[string]bool{}
	for _, e := range events {
		messages = append(messages, client.Message{ID: strconv.FormatUint(e.Seq, 10), Certificate: shapeEvent(e)})
		if e.Batch != "" && !seen[e.Batch] {
			seen[e.Batch] = true
			touched = append(touched, e.Batch)
		}
	}
	for _, id := range touched {
		b, err := a.store.Batch(ctx, institution, id)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, seq, err
		}
		shaped := shapeBatch(b)
		messages = append(messages, client.Message{Batch: &shaped})
	}
	return messages, next, nil
}

// Follow tells when there may be something new, until stop is called.
func (a *Agent) Follow() (ready <-chan struct{}, besides func(context.Context) []client.Message, stop func()) {
	one := a.feed.follow()
	return one.ready, func(ctx context.Context) (gathered []client.Message) {
		notices, acted := one.takeNotices()
		if _, trouble := one.take(); trouble != nil {
			notices = append(notices, client.Notice{Level: "error", Message: client.NewProblem(trouble).Message})
		}
		for _, n := range notices {
			gathered = append(gathered, client.Message{Notice: &n})
		}
		for _, id := range acted {
			if b, err := a.store.Batch(ctx, a.Institution().ID, id); err == nil {
				shaped := shapeBatch(b)
				gathered = append(gathered, client.Message{Batch: &shaped})
			}
		}
		return gathered
	}, one.stop
}

func shapeEvent(e vault.Event) *client.CertificateEvent {
	return &client.CertificateEvent{
		Event: string(e.Type), UUID: e.UUID, ReferenceID: e.Reference, BatchID: e.Batch,
		Title: e.Title, Name: e.Name, Email: e.Email, Source: string(e.Source), Trigger: string(e.Trigger), At: e.At.UTC(),
	}
}

func shapeBatch(b vault.Batch) client.Batch {
	return client.Batch{
		BatchID: b.ID, Name: b.Name, Status: b.State(), Trigger: string(b.Trigger), Total: b.Total,
		Processing: b.Counts.Processing, Approved: b.Counts.Approved, Failed: b.Counts.Failed, Revoked: b.Counts.Revoked,
		CreatedAt: b.CreatedAt.UTC(),
	}
}

// ActOnBatch does what staff ask for to a batch.
func (a *Agent) ActOnBatch(ctx context.Context, id string, act client.BatchAct) (client.Batch, error) {
	var change func(vault.Batch) (vault.Batch, error)
	switch act {
	case client.PauseBatch:
		change = func(b vault.Batch) (vault.Batch, error) { return b.Pause(a.Now()) }
	case client.ResumeBatch:
		change = vault.Batch.Resume
	case client.CancelBatch:
		change = func(b vault.Batch) (vault.Batch, error) { return b.Cancel(a.Now()) }
	default:
		return client.Batch{}, fault.New(fault.NotFound, "There is nothing at this address.")
	}
	b, err := a.store.ChangeBatch(ctx, a.Institution().ID, id, change,
		func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Fail(vault.CancelledFailure(), a.Now())
		})
	if err != nil {
		return client.Batch{}, err
	}
	a.feed.acted(id)
	a.wake()
	return shapeBatch(b), nil
}
