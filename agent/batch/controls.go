package batch

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ControlStore is what acts on batches need of the store.
type ControlStore interface {
	ChangeBatch(ctx context.Context, institution uint32, id string,
		change func(vault.Batch) (vault.Batch, error), each store.Change) (vault.Batch, error)
}

// Controls are what staff do to batches under way.
type Controls struct {
	Store       ControlStore
	Institution func() uint32
	OnAction    func(batch string) // tells that staff acted on a batch
	Wake        func()             // tells that there may be work
	Now         func() time.Time
}

// ActOnBatch does what staff ask for to a batch.
func (a *Controls) ActOnBatch(ctx context.Context, id string, act adminclient.BatchAction) (client.Batch, error) {
	var change func(vault.Batch) (vault.Batch, error)
	switch act {
	case adminclient.PauseBatch:
		change = func(b vault.Batch) (vault.Batch, error) { return b.Pause(a.Now()) }
	case adminclient.ResumeBatch:
		change = vault.Batch.Resume
	case adminclient.CancelBatch:
		change = func(b vault.Batch) (vault.Batch, error) { return b.Cancel(a.Now()) }
	default:
		return client.Batch{}, fault.New(fault.NotFound, "There is nothing at this address.")
	}
	b, err := a.Store.ChangeBatch(ctx, a.Institution(), id, change,
		func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Fail(vault.CancelledFailure(), a.Now())
		})
	if err != nil {
		return client.Batch{}, err
	}
	a.OnAction(id)
	a.Wake()
	return client.FromVaultBatch(b), nil
}
