package admin

import (
	"context"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// CreateToken makes an API token; only this answer has its secret.
func (s *Service) CreateToken(ctx context.Context, q adminclient.NewToken) (adminclient.Token, error) {
	draft := apiaccess.Token{Institution: s.institutionID(ctx), Name: q.Name}
	for _, p := range q.Permissions {
		draft.Permissions = append(draft.Permissions, apiaccess.Permission(p))
	}
	if q.ExpiresAt != nil {
		draft.ExpiresAt = *q.ExpiresAt
	}
	t, secret, err := apiaccess.NewToken(s.random, draft, s.now())
	if err != nil {
		return adminclient.Token{}, err
	}
	if err := s.store.AddToken(ctx, t); err != nil {
		return adminclient.Token{}, err
	}
	shown := tokenToAPI(t)
	shown.Secret = secret
	return shown, nil
}

// Tokens lists the institution's tokens.
func (s *Service) Tokens(ctx context.Context) ([]adminclient.Token, error) {
	all, err := s.store.Tokens(ctx, s.institutionID(ctx))
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
func (s *Service) RevokeToken(ctx context.Context, id string) (adminclient.Token, error) {
	t, err := s.store.ChangeToken(ctx, s.institutionID(ctx), id, func(t apiaccess.Token) (apiaccess.Token, error) {
		return t.Revoke(s.now())
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
