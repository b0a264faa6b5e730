// Package tokens is what staff do to the API tokens of an institution.
package tokens

import (
	"context"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/staff"
	"github.com/vecctl/vecctl/pkg/vault/caller"
)

// Records are where tokens are kept.
type Records interface {
	AddToken(ctx context.Context, t caller.Token) error
	Tokens(ctx context.Context, institution uint32) ([]caller.Token, error)
	ChangeToken(ctx context.Context, institution uint32, id string, change func(caller.Token) (caller.Token, error)) (caller.Token, error)
}

// Desk is where staff see to the tokens of their institution.
type Desk struct {
	records     Records
	institution func() uint32
	now         func() time.Time
	random      io.Reader
}

// New makes it; it starts nothing.
func New(records Records, institution func() uint32, now func() time.Time, random io.Reader) *Desk {
	return &Desk{records, institution, now, random}
}

// CreateToken makes an API token; the answer alone has its secret.
func (d *Desk) CreateToken(ctx context.Context, q staff.NewToken) (staff.Token, error) {
	draft := caller.Token{Institution: d.institution(), Name: q.Name}
	for _, p := range q.Permissions {
		draft.Permissions = append(draft.Permissions, caller.Permission(p))
	}
	if q.ExpiresAt != nil {
		draft.ExpiresAt = *q.ExpiresAt
	}
	t, secret, err := caller.NewToken(d.random, draft, d.now())
	if err != nil {
		return staff.Token{}, err
	}
	if err := d.records.AddToken(ctx, t); err != nil {
		return staff.Token{}, err
	}
	shown := shapeToken(t)
	shown.Secret = secret
	return shown, nil
}

// Tokens lists the institution's tokens.
func (d *Desk) Tokens(ctx context.Context) ([]staff.Token, error) {
	all, err := d.records.Tokens(ctx, d.institution())
	if err != nil {
		return nil, err
	}
	shown := make([]staff.Token, len(all))
	for i, t := range all {
		shown[i] = shapeToken(t)
	}
	return shown, nil
}

// RevokeToken ends a token.
func (d *Desk) RevokeToken(ctx context.Context, id string) (staff.Token, error) {
	t, err := d.records.ChangeToken(ctx, d.institution(), id, func(t caller.Token) (caller.Token, error) {
		return t.Revoke(d.now())
	})
	return shapeToken(t), err
}

func shapeToken(t caller.Token) staff.Token {
	shown := staff.Token{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt.UTC()}
	for _, p := range t.Permissions {
		shown.Permissions = append(shown.Permissions, string(p))
	}
	shown.ExpiresAt = client.TimeOrNull(t.ExpiresAt)
	shown.LastUsedAt = client.TimeOrNull(t.LastUsedAt)
	shown.RevokedAt = client.TimeOrNull(t.RevokedAt)
	return shown
}
