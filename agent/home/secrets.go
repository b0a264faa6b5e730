package home

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
)

// Secrets encrypts what must be known again, unlike a password: signing secrets of
// webhooks, for one. The key is a file of its own, so that the database alone, in a
// backup or a copy, tells nobody.
type Secrets struct {
	aead   cipher.AEAD
	random io.Reader
}

func (d Dir) secretsKey() string { return filepath.Join(d.Keys(), "secrets.key") }

// Secrets loads the key; where there is none it makes one if make is set, else it is
// Damaged: something was encrypted with the one that is missing.
func (d Dir) Secrets(random io.Reader, mayMake bool) (*Secrets, error) {
	text, err := os.ReadFile(d.secretsKey())
	switch {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		return nil, blob.DiskError(err, "reading the key of secrets")
	case !mayMake:
		return nil, fault.Newf(fault.Damaged, "%s is missing, although secrets were encrypted with it; restore it from a backup, "+
			"or rotate the secrets of all webhooks", d.secretsKey())
	default:
		key := make([]byte, 32)
		if _, err := io.ReadFull(random, key); err != nil {
			return nil, fmt.Errorf("drawing the key of secrets: %w", err)
		}
		text = []byte(hex.EncodeToString(key) + "\n")
		if err := write(d.secretsKey(), text); err != nil {
			return nil, err
		}
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fault.Newf(fault.Damaged, "%s is damaged; restore it from a backup", d.secretsKey())
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("loading the key of secrets: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("loading the key of secrets: %w", err)
	}
	return &Secrets{aead: aead, random: random}, nil
}

// Seal encrypts a secret for one place, such as an endpoint's ID; in another's place
// it cannot be opened.
func (s *Secrets) Seal(place, secret string) ([]byte, error) {
	nonce := make([]byte, s.aead.NonceSize())
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return nil, fmt.Errorf("encrypting a secret: %w", err)
	}
	return s.aead.Seal(nonce, nonce, []byte(secret), []byte(place)), nil
}

// Open decrypts a secret.
func (s *Secrets) Open(place string, sealed []byte) (string, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return "", fault.New(fault.Damaged, "an encrypted secret is damaged; restore the home from a backup")
	}
	secret, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(place))
	if err != nil {
		return "", fault.Wrap(fault.Damaged, err, "an encrypted secret cannot be read with the home's key; restore keys/secrets.key from a backup")
	}
	return string(secret), nil
}
