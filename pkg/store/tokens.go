package store

import (
	"context"

	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// Tokens are the operations on API tokens.
type Tokens interface {
	// AddToken keeps a new token; one with the same ID or hash is a Conflict.
	AddToken(ctx context.Context, t apiaccess.Token) error
	// TokenByHash finds the token of a secret's hash, usable or not; NotFound when
	// there is none. A change of a token is seen by every call that begins after it.
	TokenByHash(ctx context.Context, hash string) (apiaccess.Token, error)
	// ChangeToken replaces an institution's token by what change makes of it;
	// NotFound when the institution has none of that ID.
	ChangeToken(ctx context.Context, institution uint32, id string, change func(apiaccess.Token) (apiaccess.Token, error)) (apiaccess.Token, error)
	// Tokens lists an institution's tokens in order of creation.
	Tokens(ctx context.Context, institution uint32) ([]apiaccess.Token, error)
}
