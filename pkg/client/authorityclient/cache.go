package authorityclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// CacheEntry is the last that a Keeper knew of a domain's certification.
type CacheEntry struct {
	Certification Certification `json:"certification"`
	At            time.Time     `json:"at"` // when it was learnt
	// RenewedAt is when a renewal was last tried.
	RenewedAt time.Time `json:"renewed_at,omitzero"`
}

// Cache keeps what is known between calls.
type Cache interface {
	// Load returns what is known of a domain; ok is false where nothing is.
	Load(domain string) (r CacheEntry, ok bool, err error)
	Save(domain string, r CacheEntry) error
}

// MemoryCache is a cache that lasts as long as the program. Its zero value is ready.
type MemoryCache struct {
	mu    sync.Mutex
	known map[string]CacheEntry
}

// Load implements Cache.
func (m *MemoryCache) Load(domain string) (CacheEntry, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.known[domain]
	return r, ok, nil
}

// Save implements Cache.
func (m *MemoryCache) Save(domain string, r CacheEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[string]CacheEntry{}
	}
	m.known[domain] = r
	return nil
}

// FileCache is a cache in a file, for one domain, so that programs that run for moments
// need not ask each time. A file that cannot be read is as good as none.
type FileCache string

// Load implements Cache.
func (f FileCache) Load(domain string) (CacheEntry, bool, error) {
	var kept struct {
		Domain string `json:"domain"`
		CacheEntry
	}
	raw, err := os.ReadFile(string(f))
	if errors.Is(err, os.ErrNotExist) {
		return CacheEntry{}, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &kept)
	}
	if err != nil {
		return CacheEntry{}, false, fmt.Errorf("reading the cache of the certification: %w", err)
	}
	return kept.CacheEntry, kept.Domain == domain, nil
}

// Save implements Cache. The file appears whole.
func (f FileCache) Save(domain string, r CacheEntry) error {
	err := f.save(domain, r)
	if err != nil {
		return fmt.Errorf("writing the cache of the certification: %w", err)
	}
	return nil
}

func (f FileCache) save(domain string, r CacheEntry) error {
	raw, err := json.Marshal(struct {
		Domain string `json:"domain"`
		CacheEntry
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
