package admin

import (
	"context"

	"github.com/vecctl/vecctl/agent/batch"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Bulk issues a manifest (batch.Issuer).
func (s *Service) Bulk(ctx context.Context, q adminclient.BulkRequest, progress func(client.Progress)) (client.BulkReport, error) {
	institution := s.institutions.Acting(ctx)
	report, _, err := s.batches.Issue(ctx, batch.Request{
		Institution: institution, Trigger: vault.BulkUpload, Bulk: q, Progress: progress})
	if s.institutions.Several() {
		report.Institution = institution.Slug
	}
	return report, err
}

// RejectedRows returns the rows of a batch that were refused and not issued since.
func (s *Service) RejectedRows(ctx context.Context, id string) (vault.RejectedRows, error) {
	return s.batches.RejectedRows(ctx, s.institutionID(ctx), id)
}

// ActOnBatch pauses, resumes or cancels a batch.
func (s *Service) ActOnBatch(ctx context.Context, id string, act adminclient.BatchAction) (client.Batch, error) {
	return s.batches.ActOnBatch(ctx, s.institutionID(ctx), id, act)
}
