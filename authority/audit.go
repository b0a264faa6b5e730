package authority

import (
	"time"

	"github.com/vecctl/vecctl/pkg/hashchain"
)

// Who did something, besides stores.
const (
	Staff  = "staff"
	System = "authority" // of itself, as time passes
)

// StoreActor is a store as the one who did something.
func StoreActor(slug string) string { return "store " + slug }

// AuditAction is something that was done.
type AuditAction struct {
	Who     string `json:"who"`
	What    string `json:"what"`    // such as certification.revoked
	Subject string `json:"subject"` // a store, a domain or a request's ID
	Why     string `json:"why,omitempty"`
}

// AuditEntry is an act in the audit list. Each holds the hash of the one before, so
// that anyone who changes one must change all after it.
type AuditEntry struct {
	Seq uint64    `json:"seq"` // from 1
	At  time.Time `json:"at"`
	AuditAction
	Before string `json:"before"` // the hash of the entry before; "" in the first
	Hash   string `json:"hash"`
}

// Chain makes the entry that follows another; the zero Entry stands before the
// first.
func (e AuditEntry) Chain(a AuditAction, now time.Time) (AuditEntry, error) {
	next := AuditEntry{Seq: e.Seq + 1, At: now.UTC(), AuditAction: a, Before: e.Hash}
	var err error
	next.Hash, err = hashchain.Hash(next)
	return next, err
}

// Follows checks that an entry is whole and stands behind the one before it.
func (e AuditEntry) Follows(before AuditEntry) error {
	bare := e
	bare.Hash = ""
	return hashchain.Verify("the audit list", before.link(), e.link(), bare)
}

func (e AuditEntry) link() hashchain.Entry {
	return hashchain.Entry{Seq: e.Seq, PrevHash: e.Before, Hash: e.Hash}
}
