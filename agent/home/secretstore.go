package home

import (
	"io"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// SecretStore encrypts and decrypts a home's secrets. It loads their keys when they are
// first needed, and is safe for concurrent use.
type SecretStore struct {
	dir    Dir
	now    func() time.Time
	random io.Reader
	mu     sync.Mutex
	keys   *SecretKeys // nil until it is needed
}

// NewSecretStore makes the store; it reads nothing.
func NewSecretStore(d Dir, now func() time.Time, random io.Reader) *SecretStore {
	return &SecretStore{dir: d, now: now, random: random}
}

// load loads the keys of secrets. The first one is made where there is none and none
// was needed yet, as mayMake says.
func (s *SecretStore) load(mayMake bool) (*SecretKeys, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys != nil {
		return s.keys, nil
	}
	box, err := s.dir.LoadSecretKeys(s.random, s.now(), mayMake)
	if err == nil {
		s.keys = box
	}
	return box, err
}

// Rotate puts a new key before the others, with which secrets are encrypted from now on.
// The key is durable when Rotate returns.
func (s *SecretStore) Rotate(mayMake bool) error {
	box, err := s.load(mayMake)
	if err != nil {
		return err
	}
	if box, err = box.Rotate(s.dir, s.now()); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = box
	return nil
}

// Seal encrypts the secret of a place. The first key is made where there is none and
// none was needed yet, as mayMake says.
func (s *SecretStore) Seal(place, secret string, mayMake bool) ([]byte, error) {
	box, err := s.load(mayMake)
	if err != nil {
		return nil, err
	}
	return box.Seal(place, secret)
}

// Open decrypts the secret of a place.
func (s *SecretStore) Open(place string, sealed []byte) (string, error) {
	box, err := s.load(false)
	if err != nil {
		return "", err
	}
	return box.Open(place, sealed)
}

// Reseal encrypts a secret with the newest key.
func (s *SecretStore) Reseal(place string, sealed []byte) ([]byte, error) {
	box, err := s.load(false)
	if err != nil {
		return nil, err
	}
	return box.Reseal(place, sealed)
}

// Keys lists the keys of secrets, the newest first, as their file has them: the loss of
// the file is noticed. Before any was needed there is none.
func (s *SecretStore) Keys(needed bool) ([]adminclient.Key, error) {
	there, err := s.dir.hasSecretKeys()
	if err != nil || !there && !needed {
		return nil, err
	}
	box, err := s.dir.LoadSecretKeys(s.random, s.now(), false)
	if err != nil {
		return nil, err
	}
	var keys []adminclient.Key
	for i, k := range box.Keys() {
		state := adminclient.KeyDecrypts
		if i == 0 {
			state = adminclient.KeyCurrent
		}
		keys = append(keys, adminclient.Key{What: adminclient.SecretsKey, ID: k.ID, State: state, Location: adminclient.InFile, CreatedAt: client.TimeOrNull(k.Made)})
	}
	return keys, nil
}
