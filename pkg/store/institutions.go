package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Institutions are the operations on institutions.
type Institutions interface {
	// AddInstitution keeps a valid institution and returns it with its ID. IDs count
	// from 1 in order of creation.
	AddInstitution(ctx context.Context, i vault.Institution) (vault.Institution, error)
	// ChangeInstitution replaces one that exists; NotFound when it does not.
	ChangeInstitution(ctx context.Context, i vault.Institution) error
	// Institutions returns all in order of their IDs.
	Institutions(ctx context.Context) ([]vault.Institution, error)
	// UseInstitution makes one the home's primary one; NotFound when it does not exist.
	UseInstitution(ctx context.Context, id uint32) error
	// CurrentInstitution returns the one that UseInstitution named last, else the
	// first; NotFound when there is none at all.
	CurrentInstitution(ctx context.Context) (vault.Institution, error)
	// RemoveInstitution removes one with its tokens. It is Illegal while anything else of
	// it is kept, and NotFound when it does not exist. Its ID is not given again.
	RemoveInstitution(ctx context.Context, id uint32) error
}
