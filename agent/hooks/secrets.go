package hooks

import (
	"encoding/base64"
	"fmt"
	"io"

	"github.com/vecctl/vecctl/pkg/vault/hook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// Box seals secrets with the home's key, and opens them.
type Box interface {
	Seal(place, secret string) ([]byte, error)
	Open(place string, sealed []byte) (string, error)
}

// Secrets are the signing secrets of endpoints.
type Secrets struct {
	// Box has the key of secrets. It is made where there is none and none was needed
	// yet.
	Box    func(mayMake bool) (Box, error)
	Random io.Reader
}

// Open decrypts the secret of an endpoint.
func (s *Secrets) Open(endpoint string, sealed hook.Sealed) (string, error) {
	box, err := s.Box(false)
	if err != nil {
		return "", err
	}
	return box.Open(endpoint, sealed)
}

// draw makes a signing secret in the form of Standard Webhooks, and seals it.
func (s *Secrets) draw(endpoint string, mayMake bool) (string, hook.Sealed, error) {
	box, err := s.Box(mayMake)
	if err != nil {
		return "", nil, err
	}
	var bits [32]byte
	if _, err := io.ReadFull(s.Random, bits[:]); err != nil {
		return "", nil, fmt.Errorf("drawing a signing secret: %w", err)
	}
	secret := webhook.SecretPrefix + base64.StdEncoding.EncodeToString(bits[:])
	sealed, err := box.Seal(endpoint, secret)
	return secret, sealed, err
}
