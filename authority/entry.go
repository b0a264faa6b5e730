package authority

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Who did something, besides stores.
const (
	Staff = "staff"
	Self  = "authority" // of itself, as time passes
)

// StoreName is a store as the one who did something.
func StoreName(slug string) string { return "store " + slug }

// Act is something that was done.
type Act struct {
	Who     string `json:"who"`
	What    string `json:"what"`    // such as certification.revoked
	Subject string `json:"subject"` // a store, a domain or a request's ID
	Why     string `json:"why,omitempty"`
}

// Entry is an act in the audit list. Each holds the hash of the one before, so
// that whoever changes one must change all after it.
type Entry struct {
	Seq uint64    `json:"seq"` // from 1
	At  time.Time `json:"at"`
	Act
	Before string `json:"before"` // the hash of the entry before; "" in the first
	Hash   string `json:"hash"`
}

// Chain makes the entry that follows another; the zero Entry stands before the
// first.
func (e Entry) Chain(a Act, now time.Time) (Entry, error) {
	next := Entry{Seq: e.Seq + 1, At: now.UTC(), Act: a, Before: e.Hash}
	var err error
	next.Hash, err = next.sum()
	return next, err
}

// sum is the SHA-256 of the entry's JSON without its hash, in hex.
func (e Entry) sum() (string, error) {
	e.Hash = ""
	body, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("encoding an entry of the audit list: %w", err)
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}

// Follows checks that an entry is whole and stands behind the one before it.
func (e Entry) Follows(before Entry) error {
	sum, err := e.sum()
	if err != nil {
		return err
	}
	switch {
	case e.Seq != before.Seq+1:
		return fault.Newf(fault.Damaged, "entry %d of the audit list is followed by %d; entries are missing", before.Seq, e.Seq)
	case e.Before != before.Hash:
		return fault.Newf(fault.Damaged, "entry %d of the audit list does not follow from entry %d; one of them was changed", e.Seq, before.Seq)
	case sum != e.Hash:
		return fault.Newf(fault.Damaged, "entry %d of the audit list was changed after it was written", e.Seq)
	}
	return nil
}
