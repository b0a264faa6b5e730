package batch

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// ActOnBatch pauses, resumes or cancels a batch of an institution.
func (i *Issuer) ActOnBatch(ctx context.Context, institution uint32, id string, act adminclient.BatchAction) (client.Batch, error) {
	var change func(vault.Batch) (vault.Batch, error)
	switch act {
	case adminclient.PauseBatch:
		change = func(b vault.Batch) (vault.Batch, error) { return b.Pause(i.Now()) }
	case adminclient.ResumeBatch:
		change = vault.Batch.Resume
	case adminclient.CancelBatch:
		change = func(b vault.Batch) (vault.Batch, error) { return b.Cancel(i.Now()) }
	default:
		return client.Batch{}, fault.New(fault.NotFound, "There is nothing at this address.")
	}
	b, err := i.Store.ChangeBatch(ctx, institution, id, change,
		func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			return c.Fail(vault.CancelledFailure(), i.Now())
		})
	if err != nil {
		return client.Batch{}, err
	}
	i.Events.PublishBatchAction(id)
	i.Work.Wake()
	return client.FromVaultBatch(b), nil
}
