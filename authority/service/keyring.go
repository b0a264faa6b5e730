package service

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/vecctl/vecctl/authority"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
)

// Keyring has the secrets, of which one is current. The file is created with the first secret.
type Keyring struct {
	path   string
	random io.Reader
	now    func() time.Time

	mu      sync.RWMutex
	current string
	secrets map[string]authority.Secret
	made    map[string]time.Time
}

// KeyInfo describes a secret without its value.
type KeyInfo struct {
	ID      string
	Made    time.Time // zero if it is not known
	Current bool      // new hashes are made under it
}

// keyringFile is the content of the file: the secrets in base64, by their IDs.
type keyringFile struct {
	Current string            `json:"current"`
	Secrets map[string]string `json:"secrets"`
	// Made is when each was made, as far as that is known.
	Made map[string]time.Time `json:"made,omitempty"`
}

// OpenKeyring reads a keyring. It is empty if the file is missing.
func OpenKeyring(path string, random io.Reader, now func() time.Time) (*Keyring, error) {
	r := &Keyring{path: path, random: random, now: now, secrets: map[string]authority.Secret{}, made: map[string]time.Time{}}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fsutil.DiskError(err, "reading the authority's secrets")
	}
	var f keyringFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, r.damaged(err)
	}
	for id, text := range f.Secrets {
		key, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(key) < secretLength {
			return nil, r.damaged(err)
		}
		r.secrets[id] = authority.Secret{ID: id, Key: key}
	}
	if _, ok := r.secrets[f.Current]; !ok {
		return nil, r.damaged(nil)
	}
	r.current = f.Current
	maps.Copy(r.made, f.Made)
	return r, nil
}

func (r *Keyring) damaged(cause error) error {
	return &fault.Error{Kind: fault.Damaged, Err: cause,
		Message: fmt.Sprintf("the authority's secrets in %s cannot be read; restore the file from a backup", r.path)}
}

// Current returns the secret for new hashes.
func (r *Keyring) Current() (authority.Secret, error) {
	r.mu.RLock()
	s, ok := r.secrets[r.current]
	r.mu.RUnlock()
	if ok {
		return s, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.secrets[r.current]; ok {
		return s, nil // another was faster
	}
	return r.add()
}

// ByID returns the secret of an older hash.
func (r *Keyring) ByID(id string) (authority.Secret, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s, ok := r.secrets[id]
	if !ok {
		return s, fault.Newf(fault.Damaged, "the authority's secret %q is missing in %s; restore the file from a backup", id, r.path)
	}
	return s, nil
}

// Rotate creates a new current secret and returns its ID. The old secrets stay, for the hashes
// that were made with them.
func (r *Keyring) Rotate() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s, err := r.add()
	return s.ID, err
}

// Keys lists the secrets, the newest first.
func (r *Keyring) Keys() []KeyInfo {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var all []KeyInfo
	for id := range r.secrets {
		all = append(all, KeyInfo{ID: id, Made: r.made[id], Current: id == r.current})
	}
	slices.SortFunc(all, func(a, b KeyInfo) int {
		switch {
		case a.Current:
			return -1
		case b.Current:
			return 1
		}
		return cmp.Or(b.Made.Compare(a.Made), cmp.Compare(a.ID, b.ID))
	})
	return all
}

const secretLength = 32

// add creates a secret, writes the file and then makes the secret current.
func (r *Keyring) add() (authority.Secret, error) {
	drawn := make([]byte, secretLength+4)
	if _, err := io.ReadFull(r.random, drawn); err != nil {
		return authority.Secret{}, fmt.Errorf("creating a secret: %w", err)
	}
	s := authority.Secret{ID: hex.EncodeToString(drawn[secretLength:]), Key: drawn[:secretLength]}
	f := keyringFile{Current: s.ID, Secrets: map[string]string{s.ID: base64.StdEncoding.EncodeToString(s.Key)}, Made: maps.Clone(r.made)}
	f.Made[s.ID] = r.now().UTC().Truncate(time.Second)
	for id, old := range r.secrets {
		f.Secrets[id] = base64.StdEncoding.EncodeToString(old.Key)
	}
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return authority.Secret{}, fmt.Errorf("encoding the authority's secrets: %w", err)
	}
	if err := fsutil.RemoveTemp(r.path); err != nil {
		return authority.Secret{}, err
	}
	err = fsutil.WriteFile(r.path, 0o600, func(w io.Writer) error {
		_, err := w.Write(append(raw, '\n'))
		return err
	})
	if err != nil {
		return authority.Secret{}, err
	}
	r.secrets[s.ID], r.current, r.made = s, s.ID, f.Made
	return s, nil
}
