package home

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// SecretKeys encrypts what must be known again, unlike a password: signing secrets of
// webhooks, for one. The keys are a file of their own, so that the database alone,
// in a backup or a copy, tells nobody. The first key of the file encrypts; those
// behind it open what was encrypted before they were replaced, in this database or
// in a backup of it.
type SecretKeys struct {
	keys   []secretKey
	random io.Reader
}

type secretKey struct {
	SecretKeyInfo
	key  []byte
	aead cipher.AEAD
}

// SecretKeyInfo is what may be told of a key.
type SecretKeyInfo struct {
	ID   string    // the start of its hash
	Made time.Time // zero where nobody noted it
}

const secretKeyLength = 32

func (d Dir) secretKeyFile() string { return filepath.Join(d.Keys(), "secrets.key") }

// LoadSecretKeys loads the keys; where there are none it makes one if mayMake is set, else
// it is Damaged: something was encrypted with the one that is missing.
func (d Dir) LoadSecretKeys(random io.Reader, now time.Time, mayMake bool) (*SecretKeys, error) {
	text, err := os.ReadFile(d.secretKeyFile())
	switch {
	case err == nil:
		return d.parseSecretKeys(random, string(text))
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fsutil.DiskError(err, "reading the key of secrets")
	case !mayMake:
		return nil, fault.Newf(fault.Damaged, "%s is missing, although secrets were encrypted with it; restore it from a backup, "+
			"or rotate the secrets of all webhooks", d.secretKeyFile())
	}
	return (&SecretKeys{random: random}).Rotate(d, now)
}

// hasSecretKeys reports whether there are keys already.
func (d Dir) hasSecretKeys() (bool, error) {
	_, err := os.Stat(d.secretKeyFile())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, fsutil.DiskError(err, "looking for the key of secrets")
}

// parseSecretKeys reads the file: one key a line, in hexadecimal, the newest first,
// each with the moment of its making.
func (d Dir) parseSecretKeys(random io.Reader, text string) (*SecretKeys, error) {
	s := &SecretKeys{random: random}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		word, moment, _ := strings.Cut(strings.TrimSpace(line), " ")
		bits, err := hex.DecodeString(word)
		made, badTime := time.Parse(time.RFC3339, moment)
		if err != nil || len(bits) != secretKeyLength || badTime != nil && moment != "" {
			return nil, fault.Newf(fault.Damaged, "%s is damaged; restore it from a backup", d.secretKeyFile())
		}
		one, err := newSecretKey(bits, made)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, one)
	}
	return s, nil
}

func newSecretKey(bits []byte, made time.Time) (secretKey, error) {
	sum := sha256.Sum256(bits)
	one := secretKey{SecretKeyInfo: SecretKeyInfo{ID: hex.EncodeToString(sum[:4]), Made: made}, key: bits}
	block, err := aes.NewCipher(bits)
	if err != nil {
		return one, fmt.Errorf("loading the key of secrets: %w", err)
	}
	if one.aead, err = cipher.NewGCM(block); err != nil {
		return one, fmt.Errorf("loading the key of secrets: %w", err)
	}
	return one, nil
}

// Rotate puts a new key in front of the others, and returns all when the file is
// durable.
func (s *SecretKeys) Rotate(d Dir, now time.Time) (*SecretKeys, error) {
	bits := make([]byte, secretKeyLength)
	if _, err := io.ReadFull(s.random, bits); err != nil {
		return nil, fmt.Errorf("making the key of secrets: %w", err)
	}
	one, err := newSecretKey(bits, now.UTC().Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	next := &SecretKeys{keys: append([]secretKey{one}, s.keys...), random: s.random}
	var text strings.Builder
	for _, k := range next.keys {
		text.WriteString(hex.EncodeToString(k.key))
		if !k.Made.IsZero() {
			text.WriteString(" " + k.Made.Format(time.RFC3339))
		}
		text.WriteByte('\n')
	}
	return next, fsutil.ReplaceFile(d.secretKeyFile(), []byte(text.String()))
}

// Keys tells the keys, the one that encrypts first.
func (s *SecretKeys) Keys() []SecretKeyInfo {
	all := make([]SecretKeyInfo, len(s.keys))
	for i, k := range s.keys {
		all[i] = k.SecretKeyInfo
	}
	return all
}

// Seal encrypts a secret for one place, such as an endpoint's ID; in another's place
// it cannot be opened.
func (s *SecretKeys) Seal(place, secret string) ([]byte, error) {
	aead := s.keys[0].aead
	nonce := make([]byte, aead.NonceSize())
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return nil, fmt.Errorf("encrypting a secret: %w", err)
	}
	return aead.Seal(nonce, nonce, []byte(secret), []byte(place)), nil
}

// Open decrypts a secret.
func (s *SecretKeys) Open(place string, sealed []byte) (string, error) {
	secret, _, err := s.open(place, sealed)
	return secret, err
}

// open tells besides which key a secret is encrypted with.
func (s *SecretKeys) open(place string, sealed []byte) (secret string, key int, err error) {
	n := s.keys[0].aead.NonceSize()
	if len(sealed) < n {
		return "", 0, fault.New(fault.Damaged, "an encrypted secret is damaged; restore the home from a backup")
	}
	for i, k := range s.keys {
		var opened []byte
		if opened, err = k.aead.Open(nil, sealed[:n], sealed[n:], []byte(place)); err == nil {
			return string(opened), i, nil
		}
	}
	return "", 0, fault.Wrap(fault.Damaged, err, "an encrypted secret cannot be read with the home's key; restore keys/secrets.key from a backup")
}

// Reseal encrypts a secret with the newest key; one that already is stays the same.
func (s *SecretKeys) Reseal(place string, sealed []byte) ([]byte, error) {
	secret, key, err := s.open(place, sealed)
	if err != nil || key == 0 {
		return sealed, err
	}
	return s.Seal(place, secret)
}
