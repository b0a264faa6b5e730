package agent

import (
	"context"

	"github.com/vecctl/vecctl/agent/feed"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// wake says that something was committed: there may be work, and there is news.
func (a *Agent) wake() {
	a.processor.Wake()
	a.post.Wake()
	a.feed.News()
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
	a.feed.Acted(id)
	a.wake()
	return feed.ShapeBatch(b), nil
}
