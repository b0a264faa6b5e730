package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Batches are the operations on batches. A batch that is returned has its counts.
type Batches interface {
	// OpenBatch keeps a batch, or returns the one that the institution has for the
	// same digest, reopened where it was cancelled. A name that another batch has
	// gets a number appended.
	OpenBatch(ctx context.Context, b vault.Batch) (vault.Batch, error)
	// FindBatch returns the batch of a digest; NotFound when there is none.
	FindBatch(ctx context.Context, institution uint32, digest string) (vault.Batch, error)
	// Batches returns page number page (from 1), newest first, and the number of all.
	Batches(ctx context.Context, institution uint32, page, perPage int) ([]vault.Batch, int, error)
	// BatchesIn is Batches for those whose outcome is one of some. Batches whose outcome was
	// looked at before and that have not changed since are not read for it.
	BatchesIn(ctx context.Context, institution uint32, outcomes []vault.BatchState, page, perPage int) ([]vault.Batch, int, error)
	// Batch finds one by its ID; NotFound when the institution has none.
	Batch(ctx context.Context, institution uint32, id string) (vault.Batch, error)
	// ChangeBatch applies a transition to a batch. The processing jobs of a batch
	// that is then paused cannot be claimed until it is no longer paused; those of a
	// batch that is then cancelled end, and their certificates take the transition
	// waiting. Claimed jobs are left alone.
	ChangeBatch(ctx context.Context, institution uint32, id string,
		change func(vault.Batch) (vault.Batch, error), waiting Change) (vault.Batch, error)
}
