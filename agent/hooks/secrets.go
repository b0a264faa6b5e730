package hooks

import (
	"encoding/base64"
	"fmt"
	"io"
	"sync"

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
	// Load reads the key of secrets. It is made where there is none and none was
	// needed yet.
	Load   func(mayMake bool) (Box, error)
	Random io.Reader

	mu  sync.Mutex
	box Box // nil until it is needed
}

func (s *Secrets) loaded(mayMake bool) (Box, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.box != nil {
		return s.box, nil
	}
	box, err := s.Load(mayMake)
	if err != nil {
		return nil, err
	}
	s.box = box
	return box, nil
}

// Open decrypts the secret of an endpoint.
func (s *Secrets) Open(endpoint string, sealed hook.Sealed) (string, error) {
	box, err := s.loaded(false)
	if err != nil {
		return "", err
	}
	return box.Open(endpoint, sealed)
}

// draw makes a signing secret in the form of Standard Webhooks, and seals it.
func (s *Secrets) draw(endpoint string, mayMake bool) (string, hook.Sealed, error) {
	box, err := s.loaded(mayMake)
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
