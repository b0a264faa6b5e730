package certify

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Remembered is the last that a Keeper knew of a domain's certification.
type Remembered struct {
	Certification Certification `json:"certification"`
	At            time.Time     `json:"at"` // when it was learnt
	// RenewedAt is when a renewal was last tried.
	RenewedAt time.Time `json:"renewed_at,omitzero"`
}

// Cache keeps what is known between calls.
type Cache interface {
	// Load returns what is known of a domain; ok is false where nothing is.
	Load(domain string) (r Remembered, ok bool, err error)
	Save(domain string, r Remembered) error
}

// Memory is a cache that lasts as long as the program. Its zero value is ready.
type Memory struct {
	mu    sync.Mutex
	known map[string]Remembered
}

// Load implements Cache.
func (m *Memory) Load(domain string) (Remembered, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.known[domain]
	return r, ok, nil
}

// Save implements Cache.
func (m *Memory) Save(domain string, r Remembered) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[string]Remembered{}
	}
	m.known[domain] = r
	return nil
}

// File is a cache in a file, for one domain, so that programs that run for moments
// need not ask each time. A file that cannot be read is as good as none.
type File string

// Load implements Cache.
func (f File) Load(domain string) (Remembered, bool, error) {
	var kept struct {
		Domain string `json:"domain"`
		Remembered
	}
	raw, err := os.ReadFile(string(f))
	if errors.Is(err, os.ErrNotExist) {
		return Remembered{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil {
		return Remembered{}, false, fmt.Errorf("reading the cache of the certification: %w", err)
	}
	return kept.Remembered, kept.Domain == domain, nil
}

// Save implements Cache. The file appears whole.
func (f File) Save(domain string, r Remembered) error {
	err := f.save(domain, r)
	if err != nil {
		return fmt.Errorf("writing the cache of the certification: %w", err)
	}
	return nil
}

func (f File) save(domain string, r Remembered) error {
	raw, err := json.Marshal(struct {
		Domain string `json:"domain"`
		Remembered
	}{domain, r})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(string(f)), 0o700); err != nil {
		return err
	}
	t, err := os.CreateTemp(filepath.Dir(string(f)), ".certification-")
	if err != nil {
		return err
	}
	_, err = t.Write(raw)
	// No flush: what is lost in a power cut is asked for again.
	err = errors.Join(err, t.Close())
	if err == nil {
		err = os.Rename(t.Name(), string(f))
	}
	if err != nil {
		_ = os.Remove(t.Name())
	}
	return err
}
