package applications

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// EvidenceCleaner removes the evidence of applications that were rejected: nothing was
// issued because of it.
type EvidenceCleaner struct {
	Store        store.Certificates
	Institutions institutions.Directory
	Now          func() time.Time
}

// DeleteOldEvidence removes the evidence of up to n applications that were rejected before a
// moment, and returns of how many. The files themselves go with the next sweep.
func (s EvidenceCleaner) DeleteOldEvidence(ctx context.Context, before time.Time, n int) (removed int, err error) {
	const perPage = 100
	for _, id := range s.Institutions.IDs() {
		for page := 1; ; page++ {
			found, err := s.Store.List(ctx, store.Filter{Institution: id, Source: vault.FromCustomer, Status: vault.Rejected}, page, perPage)
			if err != nil {
				return removed, err
			}
			for _, c := range found.Certificates {
				if a := c.Application; a.Evidence == nil || a.Decision == nil || !a.Decision.At.Before(before) {
					continue
				}
				if removed == n {
					return n, nil
				}
				_, err := s.Store.Change(ctx, id, c.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
					return c.DropEvidence(s.Now())
				})
				switch {
				case fault.Is(err, fault.Illegal), fault.Is(err, fault.NotFound): // erased meanwhile
				case err != nil:
					return removed, err
				default:
					removed++
				}
			}
			if page*perPage >= found.Total {
				break
			}
		}
	}
	return removed, nil
}
