package admin

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// auditPage is how many entries of the audit trail are returned at a time.
const auditPage = 1000

// LatestAuditEntries returns entries of the audit trail before one, the latest first.
func (s *Service) LatestAuditEntries(ctx context.Context, before uint64) ([]audit.Entry, error) {
	const page = 100
	return s.store.LatestAuditEntries(ctx, before, page)
}

// AuditEntries returns a piece of the audit trail, after the entry with a number.
func (s *Service) AuditEntries(ctx context.Context, after uint64) ([]audit.Entry, error) {
	return s.store.AuditEntries(ctx, after, auditPage)
}
