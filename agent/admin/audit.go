package admin

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// auditPage is how many entries of the audit trail are returned at a time.
const auditPage = 1000

// LatestAuditEntries returns entries of the audit trail before one, the latest first. Where an
// institution is named and the home has several, they are those of that one and of the home.
func (s *Service) LatestAuditEntries(ctx context.Context, before uint64) ([]audit.Entry, error) {
	const page = 100
	own := ""
	if at := s.institutions.Acting(ctx); s.institutions.Several() {
		own = at.Slug
	}
	found := []audit.Entry{}
	for len(found) < page {
		entries, err := s.store.LatestAuditEntries(ctx, before, auditPage)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			before = e.Seq
			if len(found) < page && (own == "" || e.Institution == "" || e.Institution == own) {
				found = append(found, e)
			}
		}
		if len(entries) < auditPage {
			break
		}
	}
	return found, nil
}

// AuditEntries returns a piece of the audit trail, after the entry with a number.
func (s *Service) AuditEntries(ctx context.Context, after uint64) ([]audit.Entry, error) {
	return s.store.AuditEntries(ctx, after, auditPage)
}
