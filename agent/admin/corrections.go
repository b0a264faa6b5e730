package admin

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Corrections lists the correction requests for the institution's certificates.
func (s *Service) Corrections(ctx context.Context, all bool) ([]adminclient.CorrectionRequest, error) {
	found, err := s.store.Corrections(ctx, s.institutionID(ctx), all)
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.CorrectionRequest, len(found))
	for i, c := range found {
		shown[i] = correctionToAPI(c)
	}
	return shown, nil
}

// FinishCorrection records that staff have dealt with a correction request.
func (s *Service) FinishCorrection(ctx context.Context, id uint64) (adminclient.CorrectionRequest, error) {
	done, err := s.store.ChangeCorrection(ctx, s.institutionID(ctx), id, func(c vault.CorrectionRequest) (vault.CorrectionRequest, error) {
		return c.Finish(s.now())
	})
	return correctionToAPI(done), err
}

func correctionToAPI(c vault.CorrectionRequest) adminclient.CorrectionRequest {
	return adminclient.CorrectionRequest{
		ID: c.ID, UUID: c.Certificate, ReferenceID: c.Reference, Text: c.Text, AskedAt: c.At.UTC(), DoneAt: client.TimeOrNull(c.DoneAt),
	}
}
