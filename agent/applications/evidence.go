package applications

import (
	"context"
	"iter"
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
	var failure error
	for institution, c := range s.rejected(ctx, &failure) {
		if !c.Application.Decision.At.Before(before) {
			continue
		}
		if removed == n {
			return n, nil
		}
		_, err := s.Store.Change(ctx, institution, c.UUID, func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
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
	return removed, failure
}

// OldEvidence says what DeleteOldEvidence would remove. The sizes are those of the files.
func (s EvidenceCleaner) OldEvidence(ctx context.Context, before time.Time) (old store.OldRecords, err error) {
	for _, c := range s.rejected(ctx, &err) {
		if at := c.Application.Decision.At; at.Before(before) {
			old.Add(int(c.Application.Evidence.Size))
		} else {
			old.Later(at)
		}
	}
	return old, err
}

// rejected goes through the rejected applications that have evidence still.
func (s EvidenceCleaner) rejected(ctx context.Context, failure *error) iter.Seq2[uint32, vault.Certificate] {
	const perPage = 100
	return func(yield func(uint32, vault.Certificate) bool) {
		for _, id := range s.Institutions.IDs() {
			for page := 1; ; page++ {
				found, err := s.Store.List(ctx, store.Filter{Institution: id, Source: vault.FromCustomer, Status: vault.Rejected}, page, perPage)
				if *failure = err; err != nil {
					return
				}
				for _, c := range found.Certificates {
					if c.Application.Evidence != nil && c.Application.Decision != nil && !yield(id, c) {
						return
					}
				}
				if page*perPage >= found.Total {
					break
				}
			}
		}
	}
}
