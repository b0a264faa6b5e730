package adminclient

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// What a key is for.
const (
	InstitutionKey = "signing"   // signs an institution's documents
	AuthorityKey   = "authority" // the hashes of the certification authority are made under it
	SecretsKey     = "secrets"   // encrypts the secrets that the home keeps
	WebhookSecret  = "webhook"   // signs what a webhook is told
	CredentialKey  = "badges"    // signs an institution's badges
)

// What a key does now.
const (
	KeyCurrent    = "current"
	KeyVerifies   = "verifies"    // what was issued under it, and makes nothing new
	KeyDecrypts   = "opens"       // what was encrypted with it, as in backups
	KeyLost       = "lost"        // its file is missing or damaged
	KeySignsAlong = "signs along" // beside the current one, until it expires
)

// Where keys of the home lie. That of a signing key may also be elsewhere: exec:PATH or csc:URL.
const (
	InFile     = "file"
	InDatabase = "database"
)

// Key is what may be told of a key or secret.
type Key struct {
	What      string     `json:"what"`
	ID        string     `json:"id"`           // of a signing key the start of its certificate's SHA-256, of a webhook's the webhook's
	Of        string     `json:"of,omitempty"` // the institution, or the webhook's URL
	State     string     `json:"state"`
	Location  string     `json:"location"`   // where it lies: a file of the home, its database, or elsewhere
	CreatedAt *time.Time `json:"created_at"` // null if it is not known
	ExpiresAt *time.Time `json:"expires_at"` // null for one that does not
}

// Keys lists all keys and secrets of an agent's home.
func (c *Client) Keys(ctx context.Context) ([]Key, error) {
	var all []Key
	err := c.Call(ctx, http.MethodGet, "/panel/keys", nil, &all)
	return all, err
}

// BadgeDocument returns what an agent's home publishes at an address about badges: the document of
// an issuer, or a status list.
func (c *Client) BadgeDocument(ctx context.Context, address string) ([]byte, error) {
	var found struct{ Document []byte }
	err := c.Call(ctx, http.MethodGet, "/panel/badges/document?"+url.Values{"address": {address}}.Encode(), nil, &found)
	return found.Document, err
}

// RotateCredentialKey has the acting institution's badges signed with a new key from now on.
func (c *Client) RotateCredentialKey(ctx context.Context) (Key, error) {
	var k Key
	err := c.Post(ctx, "/panel/keys/badges/rotate", nil, &k)
	return k, err
}

// RotateSecretsKey encrypts all secrets that an agent's home keeps with a new key.
func (c *Client) RotateSecretsKey(ctx context.Context) (Key, error) {
	var k Key
	err := c.Post(ctx, "/panel/keys/secrets/rotate", nil, &k)
	return k, err
}
