package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/openbadge"
)

// credentialKeyFile is the content of the file with an institution's keys for credentials, the one
// in use first. Those that it replaced stay: the institution's DID document lists them all.
type credentialKeyFile struct {
	Keys []credentialKey `json:"keys"`
}

type credentialKey struct {
	Seed      []byte    `json:"seed"`
	CreatedAt time.Time `json:"created_at"`
}

func (d Dir) credentialKeyPath(institution uint32) string {
	return filepath.Join(d.Keys(), fmt.Sprintf("credentials-%d.json", institution))
}

// CredentialKeys returns the keys that sign an institution's credentials, the one in use first;
// none before the first is drawn.
func (d Dir) CredentialKeys(institution uint32) ([]openbadge.SigningKey, error) {
	path := d.credentialKeyPath(institution)
	f, err := readCredentialKeys(path)
	if err != nil {
		return nil, err
	}
	keys := make([]openbadge.SigningKey, len(f.Keys))
	for i, k := range f.Keys {
		if keys[i], err = openbadge.NewSigningKey(k.Seed, k.CreatedAt); err != nil {
			return nil, fault.Wrap(fault.Damaged, err, fmt.Sprintf("the keys in %s cannot be read; restore the file from a backup", path))
		}
	}
	return keys, nil
}

func readCredentialKeys(path string) (f credentialKeyFile, err error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return f, fsutil.DiskError(err, "reading the keys for credentials")
	}
	if err := json.Unmarshal(raw, &f); err != nil || len(f.Keys) == 0 {
		return f, fault.Newf(fault.Damaged, "the keys in %s cannot be read; restore the file from a backup", path)
	}
	return f, nil
}

// AddCredentialKey draws a key that signs an institution's credentials from now on, and returns
// all. The file is durable before the key is used.
func (d Dir) AddCredentialKey(random io.Reader, institution uint32, now time.Time) ([]openbadge.SigningKey, error) {
	path := d.credentialKeyPath(institution)
	f, err := readCredentialKeys(path)
	if err != nil {
		return nil, err
	}
	const seedLength = 32
	seed := make([]byte, seedLength)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, fmt.Errorf("drawing a key for credentials: %w", err)
	}
	f.Keys = append([]credentialKey{{Seed: seed, CreatedAt: now.UTC()}}, f.Keys...)
	raw, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the keys for credentials: %w", err)
	}
	if err := os.MkdirAll(d.Keys(), 0o700); err != nil {
		return nil, fsutil.DiskError(err, "making the folder of keys")
	}
	if err := fsutil.ReplaceFile(path, append(raw, '\n')); err != nil {
		return nil, err
	}
	return d.CredentialKeys(institution)
}
