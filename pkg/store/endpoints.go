package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault/webhook"
)

// Endpoints is what is asked of a store about webhook endpoints. With every
// certificate's event the store keeps, in the same transaction, a delivery for each
// endpoint that wants it.
type Endpoints interface {
	// AddEndpoint keeps a new endpoint, unless webhook.CheckLimit refuses.
	AddEndpoint(ctx context.Context, e webhook.Endpoint) error
	// ChangeEndpoint replaces an institution's endpoint by what change makes of it;
	// NotFound when the institution has none of that ID.
	ChangeEndpoint(ctx context.Context, institution uint32, id string, change func(webhook.Endpoint) (webhook.Endpoint, error)) (webhook.Endpoint, error)
	// ChangeEndpoints replaces all endpoints of all institutions by what change makes
	// of them, in one transaction. An error of any changes none.
	ChangeEndpoints(ctx context.Context, change func(webhook.Endpoint) (webhook.Endpoint, error)) error
	// Endpoints lists an institution's endpoints in order of creation, or those of all
	// institutions when it is 0. Deleted ones are not among them.
	Endpoints(ctx context.Context, institution uint32) ([]webhook.Endpoint, error)
}
