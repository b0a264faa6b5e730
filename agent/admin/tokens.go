package admin

import (
	"context"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// TokenStore are where tokens are kept.
type TokenStore interface {
	AddToken(ctx context.Context, t apiaccess.Token) error
	Tokens(ctx context.Context, institution uint32) ([]apiaccess.Token, error)
	ChangeToken(ctx context.Context, institution uint32, id string, change func(apiaccess.Token) (apiaccess.Token, error)) (apiaccess.Token, error)
}

// Tokens is where staff see to the tokens of their institution.
type Tokens struct {
	store       TokenStore
	institution func() uint32
	now         func() time.Time
	random      io.Reader
}

// NewTokens makes it; it starts nothing.
func NewTokens(records TokenStore, institution func() uint32, now func() time.Time, random io.Reader) *Tokens {
	return &Tokens{records, institution, now, random}
}

// CreateToken makes an API token; the answer alone has its secret.
func (d *Tokens) CreateToken(ctx context.Context, q adminclient.NewToken) (adminclient.Token, error) {
	draft := apiaccess.Token{Institution: d.institution(), Name: q.Name}
	for _, p := range q.Permissions {
		draft.Permissions = append(draft.Permissions, apiaccess.Permission(p))
	}
	if q.ExpiresAt != nil {
		draft.ExpiresAt = *q.ExpiresAt
	}
	t, secret, err := apiaccess.NewToken(d.random, draft, d.now())
	if err != nil {
		return adminclient.Token{}, err
	}
	if err := d.store.AddToken(ctx, t); err != nil {
		return adminclient.Token{}, err
	}
	shown := tokenToAPI(t)
	shown.Secret = secret
	return shown, nil
}

// Tokens lists the institution's tokens.
func (d *Tokens) Tokens(ctx context.Context) ([]adminclient.Token, error) {
	all, err := d.store.Tokens(ctx, d.institution())
	if err != nil {
		return nil, err
	}
	shown := make([]adminclient.Token, len(all))
	for i, t := range all {
		shown[i] = tokenToAPI(t)
	}
	return shown, nil
}

// RevokeToken ends a token.
func (d *Tokens) RevokeToken(ctx context.Context, id string) (adminclient.Token, error) {
	t, err := d.store.ChangeToken(ctx, d.institution(), id, func(t apiaccess.Token) (apiaccess.Token, error) {
		return t.Revoke(d.now())
	})
	return tokenToAPI(t), err
}

func tokenToAPI(t apiaccess.Token) adminclient.Token {
	shown := adminclient.Token{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt.UTC()}
	for _, p := range t.Permissions {
		shown.Permissions = append(shown.Permissions, string(p))
	}
	shown.ExpiresAt = client.TimeOrNull(t.ExpiresAt)
	shown.LastUsedAt = client.TimeOrNull(t.LastUsedAt)
	shown.RevokedAt = client.TimeOrNull(t.RevokedAt)
	return shown
}
