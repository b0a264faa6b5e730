package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// NewToken asks for an API token.
type NewToken struct {
	Name        string     `json:"name"`
	Permissions []string   `json:"permissions"` // such as certificate-vault:list
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
}

// Token is an API token as staff see it.
type Token struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Permissions []string   `json:"permissions"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   *time.Time `json:"expires_at"`
	LastUsedAt  *time.Time `json:"last_used_at"` // to the minute
	RevokedAt   *time.Time `json:"revoked_at"`
	Secret      string     `json:"token,omitempty"` // only in the answer that made it
}

// CreateToken makes an API token.
func (c *Client) CreateToken(ctx context.Context, q NewToken) (Token, error) {
	var t Token
	err := c.Post(ctx, "/panel/tokens", q, &t)
	return t, err
}

// Tokens lists the institution's API tokens.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	var all []Token
	err := c.Call(ctx, http.MethodGet, "/panel/tokens", nil, &all)
	return all, err
}

// RevokeToken ends an API token.
func (c *Client) RevokeToken(ctx context.Context, id string) (Token, error) {
	var t Token
	err := c.Call(ctx, http.MethodDelete, "/panel/tokens/"+url.PathEscape(id), nil, &t)
	return t, err
}
