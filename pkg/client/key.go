package client

import (
	"context"
	"time"
)

// SigningKey is what an institution signs with.
type SigningKey struct {
	Subject     string    `json:"subject"`            // common name of its certificate
	Issuer      string    `json:"issuer"`             // who certifies it
	Fingerprint string    `json:"certificate_sha256"` // lower-case hexadecimal
	ValidUntil  time.Time `json:"valid_until"`
}

// ImportKey has the agent sign with another key from now on; pem is the key and
// its chain, the key's own certificate first.
func (c *Client) ImportKey(ctx context.Context, pem []byte) (SigningKey, error) {
	var k SigningKey
	err := c.post(ctx, "/panel/key", map[string][]byte{"pem": pem}, &k)
	return k, err
}
