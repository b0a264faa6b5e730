package agent

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/vault"
)

// CreateToken makes an API token; the answer alone has its secret.
func (a *Agent) CreateToken(ctx context.Context, q client.NewToken) (client.Token, error) {
	draft := vault.Token{Institution: a.Institution().ID, Name: q.Name}
	for _, p := range q.Permissions {
		draft.Permissions = append(draft.Permissions, vault.Permission(p))
	}
	if q.ExpiresAt != nil {
		draft.ExpiresAt = *q.ExpiresAt
	}
	t, secret, err := vault.NewToken(a.Random, draft, a.Now())
	if err != nil {
		return client.Token{}, err
	}
	if err := a.store.AddToken(ctx, t); err != nil {
		return client.Token{}, err
	}
	shown := shapeToken(t)
	shown.Secret = secret
	return shown, nil
}

// Tokens lists the institution's tokens.
func (a *Agent) Tokens(ctx context.Context) ([]client.Token, error) {
	all, err := a.store.Tokens(ctx, a.Institution().ID)
	if err != nil {
		return nil, err
	}
	shown := make([]client.Token, len(all))
	for i, t := range all {
		shown[i] = shapeToken(t)
	}
	return shown, nil
}

// RevokeToken ends a token.
func (a *Agent) RevokeToken(ctx context.Context, id string) (client.Token, error) {
	t, err := a.store.ChangeToken(ctx, a.Institution().ID, id, func(t vault.Token) (vault.Token, error) {
		return t.Revoke(a.Now())
	})
	return shapeToken(t), err
}

func shapeToken(t vault.Token) client.Token {
	shown := client.Token{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt.UTC()}
	for _, p := range t.Permissions {
		shown.Permissions = append(shown.Permissions, string(p))
	}
	shown.ExpiresAt = client.TimeOrNull(t.ExpiresAt)
	shown.LastUsedAt = client.TimeOrNull(t.LastUsedAt)
	shown.RevokedAt = client.TimeOrNull(t.RevokedAt)
	return shown
}
