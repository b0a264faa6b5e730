package authority

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Secret is a key under which hashes are made. Certifications remember its ID, so
// that another can take over without invalidating them.
type Secret struct {
	ID  string
	Key []byte
}

// hash is the contract's formula ("Hash Generation"): lower-case hex of the
// HMAC-SHA256 over domain, badge, SDK version, both times in Unix seconds and a
// nonce, with bars between them. A bar within a field would let two different
// certifications have one text, so it is refused.
func (c Certification) hash(s Secret) (string, error) {
	text := make([]byte, 0, 256)
	for _, part := range [...]string{
		c.Domain, string(c.Badge), c.SDKVersion,
		strconv.FormatInt(c.IssuedAt.Unix(), 10), strconv.FormatInt(c.ExpiresAt.Unix(), 10), c.Nonce,
	} {
		if part == "" || strings.ContainsAny(part, "|\x00") {
			return "", NewContractError(InvalidRequest, "A field of the certification is empty or holds a character that is not allowed")
		}
		text = append(append(text, part...), '|')
	}
	mac := hmac.New(sha256.New, s.Key)
	mac.Write(text[:len(text)-1])
	return hex.EncodeToString(mac.Sum(text[:0])), nil
}

// Genuine reports whether a certification's hash is that of what it says.
func (c Certification) Genuine(s Secret) bool {
	want, err := c.hash(s)
	return err == nil && hmac.Equal([]byte(want), []byte(c.Hash))
}

// IsHash reports whether a text has the form of a verification hash.
func IsHash(s string) bool {
	if len(s) != 2*sha256.Size {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// draw returns n random bytes in hex.
func draw(random io.Reader, n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("drawing random bytes: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// NewNonce draws what makes each hash unlike all others.
func NewNonce(random io.Reader) (string, error) { return draw(random, 16) }

// NewRequestID draws the name of a certification request.
func NewRequestID(random io.Reader) (string, error) {
	id, err := draw(random, 12)
	return "req_" + id, err
}
