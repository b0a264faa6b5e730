package applications

import (
	"context"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/vault"
)

// EvidenceCleaner removes the files of applications that were rejected: it is
// evidence of nothing that was issued.
type EvidenceCleaner struct {
	Store interface {
		Lister
		Change(ctx context.Context, institution uint32, name string, change store.Change) (vault.Certificate, error)
	}
	Institutions func() []uint32
	Now          func() time.Time
}

// Clean removes the evidence of up to n applications that were rejected before a
// moment, and returns of how many. The files themselves go with the next sweep.
func (s EvidenceCleaner) Clean(ctx context.Context, before time.Time, n int) (shredded int, err error) {
	const perPage = 100
	for _, id := range s.Institutions() {
		for page := 1; ; page++ {
			found, err := s.Store.List(ctx, store.Filter{Institution: id, Source: vault.FromCustomer, Status: vault.Rejected}, page, perPage)
			if err != nil {
				return shredded, err
			}
			for _, c := range found.Certificates {
				if a := c.Application; a.Evidence == nil || a.Decision == nil || !a.Decision.At.Before(before) {
					continue
				}
				if shredded == n {
					return n, nil
				}
				_, err := s.Store.Change(ctx, id, c.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
					return c.DropEvidence(s.Now())
				})
				switch {
				case fault.Is(err, fault.Illegal), fault.Is(err, fault.NotFound): // erased meanwhile
				case err != nil:
					return shredded, err
				default:
					shredded++
				}
			}
			if page*perPage >= found.Total {
				break
			}
		}
	}
	return shredded, nil
}
