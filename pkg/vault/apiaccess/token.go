// Package apiaccess is the domain of programs that call the API: their tokens, the files
// that they upload ahead, and the answers that are kept for them. It does no input
// or output.
package apiaccess

import (
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Permission is what a token may do (guide, "API Token & Permissions").
type Permission string

// The permissions that exist.
const (
	MayList     Permission = "certificate-vault:list"
	MayView     Permission = "certificate-vault:view"
	MayCreate   Permission = "certificate-vault:create"
	MayDownload Permission = "certificate-vault:download"
	MayUpdate   Permission = "certificate-vault:update"
)

// Permissions lists them all.
func Permissions() []Permission {
	return []Permission{MayList, MayView, MayCreate, MayDownload, MayUpdate}
}

// Token lets a program call the API for one institution. Its secret is shown
// once and not kept.
type Token struct {
	ID          string       `json:"id"` // UUID
	Institution uint32       `json:"institution"`
	Name        string       `json:"name"`
	Permissions []Permission `json:"permissions"`
	Hash        string       `json:"hash"` // of the secret, see vault.HashSecret
	CreatedAt   time.Time    `json:"created_at"`
	ExpiresAt   time.Time    `json:"expires_at,omitzero"`
	LastUsedAt  time.Time    `json:"last_used_at,omitzero"`
	RevokedAt   time.Time    `json:"revoked_at,omitzero"`
}

// NewToken makes a token and its secret: 256 random bits.
func NewToken(random io.Reader, t Token, now time.Time) (Token, string, error) {
	t.Name, t.CreatedAt = vault.Clean(t.Name), now
	if err := t.validate(now); err != nil {
		return Token{}, "", err
	}
	id, err := vault.NewUUID(random, now)
	if err != nil {
		return Token{}, "", err
	}
	var bits [32]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return Token{}, "", fmt.Errorf("drawing a token: %w", err)
	}
	secret := "vec_" + base64.RawURLEncoding.EncodeToString(bits[:])
	t.ID, t.Hash = id, vault.HashSecret(secret)
	return t, secret, nil
}

func (t Token) validate(now time.Time) error {
	var bad []fault.Field
	if n := utf8.RuneCountInString(t.Name); n == 0 || n > vault.MaxName || strings.ContainsFunc(t.Name, vault.ForbiddenRune) || strings.ContainsFunc(t.Name, vault.DirectionControl) {
		bad = append(bad, fault.Field{Name: "name", Message: "a token needs a name of at most 255 characters, without control characters"})
	}
	if len(t.Permissions) == 0 {
		bad = append(bad, fault.Field{Name: "permissions", Message: "a token needs at least one permission; there are " + permissionNames()})
	}
	for _, p := range t.Permissions {
		if !slices.Contains(Permissions(), p) {
			bad = append(bad, fault.Field{Name: "permissions",
				Message: fmt.Sprintf("%q is not a permission; the permissions are %s", string(p), permissionNames())})
		}
	}
	if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(now) {
		bad = append(bad, fault.Field{Name: "expires_at", Message: "a token must expire in the future"})
	}
	return fault.InvalidFields(bad)
}

func permissionNames() string {
	var names []string
	for _, p := range Permissions() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

// Usable reports whether the token is neither revoked nor expired.
func (t Token) Usable(now time.Time) bool {
	return t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}

// Allows reports whether the token has a permission.
func (t Token) Allows(p Permission) bool { return slices.Contains(t.Permissions, p) }

// Revoke ends the token.
func (t Token) Revoke(now time.Time) (Token, error) {
	if !t.RevokedAt.IsZero() {
		return t, fault.New(fault.Illegal, "the token is revoked already")
	}
	t.RevokedAt = now
	return t, nil
}

// lastUsedPrecision is how exact the note of a token's last use is; a busy token must
// not cost a write with every call.
const lastUsedPrecision = time.Minute

// MarkUsed notes a use, and reports whether that is worth writing down.
func (t Token) MarkUsed(now time.Time) (Token, bool) {
	if now.Sub(t.LastUsedAt) < lastUsedPrecision {
		return t, false
	}
	t.LastUsedAt = now
	return t, true
}
