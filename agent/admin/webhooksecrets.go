package admin

import (
	"encoding/base64"
	"fmt"
	"io"

	vaultwebhook "github.com/vecctl/vecctl/pkg/vault/webhook"
	"github.com/vecctl/vecctl/pkg/webhook"
)

// SecretCipher seals secrets with the home's key, and opens them.
type SecretCipher interface {
	Seal(place, secret string) ([]byte, error)
	Open(place string, sealed []byte) (string, error)
}

// SecretSealer are the signing secrets of endpoints.
type SecretSealer struct {
	// SecretCipher has the key of secrets. It is made where there is none and none was needed
	// yet.
	Cipher func(mayMake bool) (SecretCipher, error)
	Random io.Reader
}

// Open decrypts the secret of an endpoint.
func (s *SecretSealer) Open(endpoint string, sealed vaultwebhook.EncryptedSecret) (string, error) {
	box, err := s.Cipher(false)
	if err != nil {
		return "", err
	}
	return box.Open(endpoint, sealed)
}

// generate makes a signing secret in the form of Standard Webhooks, and seals it.
func (s *SecretSealer) generate(endpoint string, mayMake bool) (string, vaultwebhook.EncryptedSecret, error) {
	box, err := s.Cipher(mayMake)
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
