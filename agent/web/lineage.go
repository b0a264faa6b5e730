package web

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// lineageStore finds certificates.
type lineageStore interface {
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
}

// lineage returns the reference IDs of a certificate's successor and predecessor, "" where
// there is none that was issued. Pages name others by their public address alone: who
// was given one page's was not given theirs.
func lineage(ctx context.Context, v lineageStore, c vault.Certificate) (successor, predecessor string, err error) {
	if successor, err = referenceOf(ctx, v, c.Institution, c.SupersededBy); err != nil {
		return "", "", err
	}
	predecessor, err = referenceOf(ctx, v, c.Institution, c.Supersedes)
	return successor, predecessor, err
}

func referenceOf(ctx context.Context, v lineageStore, institution uint32, uuid string) (string, error) {
	if uuid == "" {
		return "", nil
	}
	c, err := v.Certificate(ctx, institution, uuid)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	return c.Reference, err
}
