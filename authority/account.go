package authority

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Account is a store that may ask for certifications. Its API key is shown once
// and not kept.
type Account struct {
	Slug      string    `json:"slug"`
	KeyHash   string    `json:"key_hash"`
	Review    bool      `json:"review,omitempty"` // staff look at each request
	Disabled  bool      `json:"disabled,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	RotatedAt time.Time `json:"rotated_at,omitzero"`
}

// NewAccount makes a store's account without a key.
func NewAccount(slug string, review bool, now time.Time) (Account, error) {
	if !ValidSlug(slug) {
		return Account{}, fault.Newf(fault.Invalid, "%q cannot name a store; want lower-case letters, digits and hyphens, at most %d", slug, maxSlug)
	}
	return Account{Slug: slug, Review: review, CreatedAt: now}, nil
}

// NewKey gives the account a new API key, 256 random bits, in place of any other.
func (a Account) NewKey(random io.Reader, now time.Time) (Account, string, error) {
	var bits [32]byte
	if _, err := io.ReadFull(random, bits[:]); err != nil {
		return a, "", fmt.Errorf("drawing an API key: %w", err)
	}
	key := "vws_" + base64.RawURLEncoding.EncodeToString(bits[:])
	if a.KeyHash != "" {
		a.RotatedAt = now
	}
	a.KeyHash = hashKey(key)
	return a, key, nil
}

func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// CheckKey reports whether a key opens the account.
func (a Account) CheckKey(key string) bool {
	return !a.Disabled && subtle.ConstantTimeCompare([]byte(hashKey(key)), []byte(a.KeyHash)) == 1
}
