package home

import (
	"io"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// SecretStore has the keys of a home's secrets, and loads them when they are first needed.
// It is for concurrent use.
type SecretStore struct {
	dir    Dir
	now    func() time.Time
	random io.Reader
	mu     sync.Mutex
	keys   *SecretKeys // nil until it is needed
}

// NewSecretStore makes a safe; it reads nothing.
func NewSecretStore(d Dir, now func() time.Time, random io.Reader) *SecretStore {
	return &SecretStore{dir: d, now: now, random: random}
}

// Open loads the keys of secrets. The first is made where there is none and none was
// needed yet, which mayMake says.
func (s *SecretStore) Open(mayMake bool) (*SecretKeys, error) {
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

// Rotate has secrets encrypted with a new key from now on, which is durable when it
// returns.
func (s *SecretStore) Rotate(mayMake bool) error {
	box, err := s.Open(mayMake)
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

// Reseal encrypts a secret with the newest key.
func (s *SecretStore) Reseal(place string, sealed []byte) ([]byte, error) {
	box, err := s.Open(false)
	if err != nil {
		return nil, err
	}
	return box.Reseal(place, sealed)
}

// Keys tells the keys of secrets, the newest first, as their file has them: one that
// was lost since it was loaded will be missed. Before any was needed there is none.
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
		keys = append(keys, adminclient.Key{What: adminclient.SecretsKey, ID: k.ID, State: state, CreatedAt: client.TimeOrNull(k.Made)})
	}
	return keys, nil
}
