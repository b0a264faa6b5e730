// Package kin finds the certificates that a certificate corrects and that correct it.
package kin

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Vault finds certificates.
type Vault interface {
	Certificate(ctx context.Context, institution uint32, name string) (vault.Certificate, error)
}

// Of returns the reference IDs of a certificate's successor and predecessor, "" where
// there is none that was issued. Pages name others by their public address alone: who
// was given one page's was not given theirs.
func Of(ctx context.Context, v Vault, c vault.Certificate) (successor, predecessor string, err error) {
	if successor, err = reference(ctx, v, c.Institution, c.SupersededBy); err != nil {
		return "", "", err
	}
	predecessor, err = reference(ctx, v, c.Institution, c.Supersedes)
	return successor, predecessor, err
}

func reference(ctx context.Context, v Vault, institution uint32, uuid string) (string, error) {
	if uuid == "" {
		return "", nil
	}
	c, err := v.Certificate(ctx, institution, uuid)
	if fault.Is(err, fault.NotFound) {
		return "", nil
	}
	return c.Reference, err
}
