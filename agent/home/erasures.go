package home

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Erasures is the file that remembers who was erased.
func (d Dir) Erasures() string { return d.join("erasures.json") }

// ErasurePending is the file that says that an erasure is not through yet: what was deleted
// from the database is still to be overwritten.
func (d Dir) ErasurePending() string { return d.join("erasure.pending") }

// ErasuresToReapply is the file that says that a backup was restored, and who was erased since
// it was made is still to be erased again.
func (d Dir) ErasuresToReapply() string { return d.join("erasures.reapply") }

// AdoptErasures takes over the list of erasures of the home as it was before a backup of it was
// restored here. A list of another home is refused, since nobody could be found in it.
func (d Dir) AdoptErasures(path string) error {
	unreadable := func(path string) error {
		return fault.Newf(fault.Invalid, "%s is no list of erasures; name the erasures.json of the home as it was", path)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("%s cannot be read; check its name and permissions", path))
	}
	var given, own erasureFile
	if json.Unmarshal(body, &given) != nil || len(given.Key) == 0 {
		return unreadable(path)
	}
	switch before, err := os.ReadFile(d.Erasures()); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fsutil.DiskError(err, "reading who was erased")
	case json.Unmarshal(before, &own) != nil:
		return unreadable(d.Erasures())
	case len(own.Key) > 0 && !hmac.Equal(own.Key, given.Key):
		return fault.Newf(fault.Invalid, "%s is the list of another home than the backup's; name the erasures.json of the home as it was", path)
	}
	// First the file that has everyone found again, so that a crash between the two loses nobody.
	if err := fsutil.ReplaceFile(d.ErasuresToReapply(), nil); err != nil {
		return err
	}
	return fsutil.ReplaceFile(d.Erasures(), body)
}

// ErasureLedger remembers who was erased, so that nobody brings the person back unasked. It
// has keyed hashes of the addresses, which say nothing to anyone who does not ask for one
// address. It is for concurrent use.
type ErasureLedger struct {
	path   string
	random io.Reader

	mu   sync.Mutex
	kept *erasureFile // nil until it was read
}

// erasureFile is what the file holds.
type erasureFile struct {
	Key    []byte               `json:"key"`
	Erased map[string]time.Time `json:"erased"` // when, by the keyed hash of institution and address
}

// NewErasureLedger returns the home's ledger; it reads nothing yet.
func NewErasureLedger(d Dir, random io.Reader) *ErasureLedger {
	return &ErasureLedger{path: d.Erasures(), random: random}
}

// load reads the file once. Who calls holds the lock.
func (l *ErasureLedger) load() error {
	if l.kept != nil {
		return nil
	}
	kept := &erasureFile{Erased: map[string]time.Time{}}
	body, err := os.ReadFile(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		l.kept = kept
		return nil
	case err != nil:
		return fsutil.DiskError(err, "reading who was erased")
	}
	if err := json.Unmarshal(body, kept); err != nil || len(kept.Key) == 0 {
		return fault.Newf(fault.Damaged, "%s, which says who was erased, cannot be read; restore it from a backup", l.path)
	}
	l.kept = kept
	return nil
}

func (f *erasureFile) hash(institution uint32, email string) string {
	mac := hmac.New(sha256.New, f.Key)
	fmt.Fprintf(mac, "%d %s", institution, vault.FoldEmail(email))
	return hex.EncodeToString(mac.Sum(nil))
}

// Find returns when an address was erased at an institution; false where it was not.
func (l *ErasureLedger) Find(institution uint32, email string) (time.Time, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(); err != nil || len(l.kept.Erased) == 0 {
		return time.Time{}, false, err
	}
	at, ok := l.kept.Erased[l.kept.hash(institution, email)]
	return at, ok, nil
}

// Add remembers that an address was erased at an institution.
func (l *ErasureLedger) Add(institution uint32, email string, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(); err != nil {
		return err
	}
	if err := l.makeKey(); err != nil {
		return err
	}
	l.kept.Erased[l.kept.hash(institution, email)] = at.UTC()
	return l.save()
}

// makeKey makes the key of a ledger that has none. Who calls holds the lock.
func (l *ErasureLedger) makeKey() error {
	if len(l.kept.Key) > 0 {
		return nil
	}
	key := make([]byte, sha256.Size)
	if _, err := io.ReadFull(l.random, key); err != nil {
		return fmt.Errorf("making the key of the list of erasures: %w", err)
	}
	l.kept.Key = key
	return nil
}

// pseudonymDigits is how many hexadecimal digits of a keyed hash name a person.
const pseudonymDigits = 16

// Pseudonym implements audit.Pseudonymizer: it is the beginning of the keyed hash under which
// an erasure of the address is, or would be, remembered.
func (l *ErasureLedger) Pseudonym(institution uint32, email string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(); err != nil {
		return "", err
	}
	if len(l.kept.Key) == 0 {
		if err := l.makeKey(); err != nil {
			return "", err
		}
		if err := l.save(); err != nil {
			return "", err
		}
	}
	return l.kept.hash(institution, email)[:pseudonymDigits], nil
}

// Readmit forgets that an address was erased at an institution: the person asked to be
// issued something again. It is NotFound where the address was not erased.
func (l *ErasureLedger) Readmit(institution uint32, email string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.load(); err != nil {
		return err
	}
	hash := l.kept.hash(institution, email)
	if _, ok := l.kept.Erased[hash]; !ok {
		return fault.Newf(fault.NotFound, "nobody was erased at the address %s", email)
	}
	delete(l.kept.Erased, hash)
	return l.save()
}

func (l *ErasureLedger) save() error {
	body, err := json.Marshal(l.kept)
	if err == nil {
		err = fsutil.ReplaceFile(l.path, body)
	}
	if err != nil {
		l.kept = nil // what is kept is read again
		return fsutil.DiskError(err, "recording who was erased")
	}
	return nil
}
