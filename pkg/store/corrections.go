package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Corrections are the operations on recipients' correction requests.
type Corrections interface {
	// AddCorrection keeps a request and returns it with its ID. When too many about the
	// certificate are open (vault.MaxOpenCorrectionRequests), it is Unavailable.
	AddCorrection(ctx context.Context, c vault.CorrectionRequest) (vault.CorrectionRequest, error)
	// Corrections lists an institution's requests, oldest first; closed ones only when
	// all is true.
	Corrections(ctx context.Context, institution uint32, all bool) ([]vault.CorrectionRequest, error)
	// ChangeCorrection replaces an institution's request by what change makes of it;
	// NotFound when the institution has none of that ID.
	ChangeCorrection(ctx context.Context, institution uint32, id uint64,
		change func(vault.CorrectionRequest) (vault.CorrectionRequest, error)) (vault.CorrectionRequest, error)
	// DeleteCorrections removes all requests about a certificate.
	DeleteCorrections(ctx context.Context, institution uint32, certificate string) error
}
