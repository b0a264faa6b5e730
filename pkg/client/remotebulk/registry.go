package remotebulk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// RemoteCertificate is a certificate on a remote vault, as this home knows it.
type RemoteCertificate struct {
	UUID        string    `json:"uuid"`
	ReferenceID string    `json:"reference_id"`
	Vault       string    `json:"vault"` // its base URL
	Row         int       `json:"row"`   // of the manifest
	Status      string    `json:"status"`
	At          time.Time `json:"at,omitzero"` // by the vault's clock; the zero time where it does not say
}

// StatusUpdate is a later state, which a vault reported.
type StatusUpdate struct {
	UUID   string    `json:"uuid"`
	Status string    `json:"status"`
	At     time.Time `json:"at"`
}

// Registry has the certificates in the journals of a folder. It records the states that vaults
// report later, in a file in the same folder. It is safe for concurrent use by one process.
type Registry struct {
	mu    sync.Mutex
	dir   string
	read  map[string]int64 // the offset up to which each file was read
	known map[string]RemoteCertificate
}

// NewRegistry returns the registry of a folder, which may be missing.
func NewRegistry(dir string) *Registry {
	return &Registry{dir: dir, read: map[string]int64{}, known: map[string]RemoteCertificate{}}
}

// statesFile is the file for reported states.
const statesFile = "states.log"

// All returns every certificate, sorted by vault and row.
func (b *Registry) All() ([]RemoteCertificate, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(); err != nil {
		return nil, err
	}
	all := make([]RemoteCertificate, 0, len(b.known))
	for _, k := range b.known {
		all = append(all, k)
	}
	slices.SortFunc(all, func(x, y RemoteCertificate) int {
		if x.Vault != y.Vault {
			return strings.Compare(x.Vault, y.Vault)
		}
		if x.Row != y.Row {
			return x.Row - y.Row
		}
		return strings.Compare(x.UUID, y.UUID)
	})
	return all, nil
}

// Note records a state that a vault reported. It returns false if the certificate is unknown,
// or if a newer state is known. The state is durable when it returns.
func (b *Registry) Note(h StatusUpdate) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.refresh(); err != nil {
		return false, err
	}
	k, ok := b.known[h.UUID]
	if !ok || !isNewer(k, h) {
		return false, nil
	}
	line, err := json.Marshal(h)
	if err != nil {
		return false, fmt.Errorf("recording a state: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(b.dir, statesFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil {
		// A line end first: the last line may be incomplete after a crash.
		_, err = f.Write(append([]byte("\n"), append(line, '\n')...))
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return false, fault.Wrap(fault.Full, err, "the state of a certificate on a remote vault cannot be recorded; free space on the disk of the home")
	}
	return true, nil
}

// isNewer reports whether an update is newer than the known state. Vaults report whole seconds:
// within one second, any other state is newer than processing.
func isNewer(k RemoteCertificate, h StatusUpdate) bool {
	known, heard := k.At.Truncate(time.Second), h.At.Truncate(time.Second)
	if known.Equal(heard) {
		return k.Status == string(vault.Processing) && h.Status != k.Status
	}
	return heard.After(known)
}

// refresh reads the new lines of the files.
func (b *Registry) refresh() error {
	entries, err := os.ReadDir(b.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the notes about remote batches: %w", err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".jsonl") {
			if err := b.follow(e.Name(), b.readJournalLine); err != nil {
				return err
			}
		}
	}
	return b.follow(statesFile, b.readUpdateLine)
}

// follow reads the complete lines of a file that were not read yet.
func (b *Registry) follow(name string, take func([]byte)) error {
	f, err := os.Open(filepath.Join(b.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the notes about remote batches: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(b.read[name], io.SeekStart); err != nil {
		return fmt.Errorf("reading the notes about remote batches: %w", err)
	}
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // an incomplete line is read when it is complete
		}
		if err != nil {
			return fmt.Errorf("reading the notes about remote batches: %w", err)
		}
		b.read[name] += int64(len(line))
		take(bytes.TrimSpace(line))
	}
}

// readJournalLine ignores a line that a crash cut off: its writer writes it again.
func (b *Registry) readJournalLine(line []byte) {
	var r journalEntry
	if json.Unmarshal(line, &r) == nil && r.Certificate != nil && r.Certificate.UUID != "" {
		if had, ok := b.known[r.Certificate.UUID]; !ok || !had.At.After(r.Certificate.At) {
			b.known[r.Certificate.UUID] = *r.Certificate
		}
	}
}

func (b *Registry) readUpdateLine(line []byte) {
	var h StatusUpdate
	if json.Unmarshal(line, &h) != nil {
		return
	}
	if k, ok := b.known[h.UUID]; ok && isNewer(k, h) {
		k.Status, k.At = h.Status, h.At
		b.known[h.UUID] = k
	}
}
