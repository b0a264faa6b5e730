package remotebulk

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Notes are the files in which a home records what it sent to a remote vault: a
// journal for each manifest, and the dates of rows without one for each vault.
type Notes struct {
	// Name identifies the manifest and the vault; it goes into the keys of all calls.
	Name string
	// FirstDate is the date of the first run of this manifest; "" before that.
	FirstDate vault.Date
	Dates     *FrozenDates

	journal string // path
}

// OpenNotes reads the notes in dir about a manifest and the vault at a base URL.
// It creates no file.
func OpenNotes(dir, vaultURL string, manifestDigest [sha256.Size]byte) (*Notes, error) {
	sum := sha256.Sum256([]byte(vaultURL + "\x00" + hex.EncodeToString(manifestDigest[:])))
	vaultSum := sha256.Sum256([]byte(vaultURL))
	n := &Notes{Name: hex.EncodeToString(sum[:16])}
	n.journal = filepath.Join(dir, n.Name+".jsonl")
	var err error
	if n.Dates, err = OpenFrozenDates(filepath.Join(dir, "dates-"+hex.EncodeToString(vaultSum[:8])+".log")); err != nil {
		return nil, err
	}
	n.FirstDate, err = firstDate(n.journal)
	return n, err
}

// OpenJournal opens the manifest's journal. A new one begins with a date, which is that
// of all rows without one, in later runs too.
func (n *Notes) OpenJournal(today vault.Date) (*Journal, error) {
	if n.FirstDate != "" {
		today = n.FirstDate
	}
	return OpenJournal(n.journal, string(today))
}
