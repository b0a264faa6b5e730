package authority

import (
	"time"

	"github.com/vecctl/vecctl/pkg/hashchain"
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
	next.Hash, err = hashchain.Hash(next)
	return next, err
}

// Follows checks that an entry is whole and stands behind the one before it.
func (e Entry) Follows(before Entry) error {
	bare := e
	bare.Hash = ""
	return hashchain.Verify("the audit list", before.link(), e.link(), bare)
}

func (e Entry) link() hashchain.Entry {
	return hashchain.Entry{Seq: e.Seq, PrevHash: e.Before, Hash: e.Hash}
}
