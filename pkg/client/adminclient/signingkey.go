package adminclient

import (
	"context"
	"net/http"
	"time"
)

// KeyProblem is the kind of the problem that a signing key has ended or soon will.
const KeyProblem = "signing-key"

// KeyLostProblem is the kind of the problem that a signing key is missing or damaged.
const KeyLostProblem = "signing-key-lost"

// TLSProblem is the kind of the problem that the certificate of HTTPS has ended or soon will.
const TLSProblem = "tls-certificate"

// ClockProblem is the kind of the problem that the clock is off.
const ClockProblem = "clock"

// SigningKey is what an institution signs with.
type SigningKey struct {
	Subject     string    `json:"subject"`            // common name of its certificate
	Issuer      string    `json:"issuer"`             // who certifies it
	Fingerprint string    `json:"certificate_sha256"` // lower-case hexadecimal
	ValidUntil  time.Time `json:"valid_until"`
	Algorithm   string    `json:"algorithm"` // such as P-256 or RSA-3072
	Location    string    `json:"location"`  // file, or where else it lies
}

// KeyPlace says where a signing key lies: "file" for the last key file of the home, "exec:PATH
// ARGUMENTS" for a helper process, "csc:URL" for a signing service.
type KeyPlace struct {
	Location string `json:"location"`
	// What follows is left to the settings where it is empty.
	Credential       string `json:"credential,omitempty"` // which of a signing service's keys
	ClientID         string `json:"client_id,omitempty"`
	ClientSecretFile string `json:"client_secret_file,omitempty"`
	PINFile          string `json:"pin_file,omitempty"`
}

// UseKey has the agent sign with a key that lies elsewhere, or with a key file of the home again.
func (c *Client) UseKey(ctx context.Context, where KeyPlace) (ImportedKey, error) {
	var k ImportedKey
	err := c.Post(ctx, "/panel/key/use", where, &k)
	return k, err
}

// KeyCheck is how a signing key did in a test.
type KeyCheck struct {
	Of       string `json:"of"` // the institution
	Location string `json:"location"`
	Problem  string `json:"problem,omitempty"` // "" where it signs
}

// TestKeys has the keys of all institutions sign a throw-away document each.
func (c *Client) TestKeys(ctx context.Context) ([]KeyCheck, error) {
	var all []KeyCheck
	err := c.Call(ctx, http.MethodGet, "/panel/keys/test", nil, &all)
	return all, err
}

// ImportedKey is a signing key that was imported.
type ImportedKey struct {
	SigningKey

	Warnings []string `json:"warnings,omitempty"` // sentences about what is worth knowing
}

// TestedKey is a signing key that signed a throw-away document for a test.
type TestedKey ImportedKey

// TestKey has the agent's key sign a throw-away document and judges it. Nothing is changed; a key
// whose signatures are not valid is an error.
func (c *Client) TestKey(ctx context.Context) (TestedKey, error) {
	var k TestedKey
	err := c.Call(ctx, http.MethodGet, "/panel/key/test", nil, &k)
	return k, err
}

// ImportKey has the agent sign with another key from now on; pem is the key and
// its chain, the key's own certificate first.
func (c *Client) ImportKey(ctx context.Context, pem []byte) (ImportedKey, error) {
	var k ImportedKey
	err := c.Post(ctx, "/panel/key", map[string][]byte{"pem": pem}, &k)
	return k, err
}

// SigningKey is what the agent signs with.
func (c *Client) SigningKey(ctx context.Context) (SigningKey, error) {
	var k SigningKey
	err := c.Call(ctx, http.MethodGet, "/panel/key", nil, &k)
	return k, err
}

// RotateKey has the agent sign with a new self-made key from now on. One that
// somebody else has certified is replaced only when selfMade says so.
func (c *Client) RotateKey(ctx context.Context, selfMade bool) (SigningKey, error) {
	var k SigningKey
	err := c.Post(ctx, "/panel/key/rotate", map[string]bool{"self_made": selfMade}, &k)
	return k, err
}

// ReplaceKey is RotateKey with the kind of the new key: P-256, P-384 or RSA-3072.
func (c *Client) ReplaceKey(ctx context.Context, algorithm string, selfMade bool) (SigningKey, error) {
	var k SigningKey
	err := c.Post(ctx, "/panel/key/rotate", map[string]any{"self_made": selfMade, "algorithm": algorithm}, &k)
	return k, err
}
