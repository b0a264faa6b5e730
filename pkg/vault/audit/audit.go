// Package audit is what people and programs did to a vault, as a list of which each
// entry holds the hash of the one before: to change one, all after it must be changed
// it.
package audit

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/hashchain"
)

// Action is something that was done.
type Action struct {
	Actor      string `json:"who"`  // "staff", "staff (their name on the machine)", "token NAME (ID)"
	Request    string `json:"what"` // method and path of the call
	RemoteAddr string `json:"from"` // the caller's address; "local" through the staff's door
	Subject
}

// Subject is what an action was done to. Entries of earlier versions have none, and an empty
// field is left out of an entry's JSON, so that their hashes stay what they are.
type Subject struct {
	Institution string `json:"institution,omitempty"` // its slug at that time
	Object      string `json:"object,omitempty"`      // kind and name: "certificate VEC-IC-…", "batch ID", "token lms (ID)"
	// Person is the pseudonym of the only recipient that the action was about. The trail is
	// kept forever and cannot be changed, so it holds nobody's name or address.
	Person string `json:"person,omitempty"`
}

// Pseudonymizer names people without saying who they are.
type Pseudonymizer interface {
	// Pseudonym returns the name that an address has at an institution, always the same.
	Pseudonym(institution uint32, email string) (string, error)
}

// Entry is an act in the list.
type Entry struct {
	Seq uint64    `json:"seq"` // from 1
	At  time.Time `json:"at"`
	Action
	PrevHash string `json:"before"` // the hash of the entry before; "" in the first
	Hash     string `json:"hash"`   // SHA-256 of the entry's JSON without its hash, in hexadecimal
}

// Next makes the entry that follows another; the zero Entry stands before the
// first.
func (e Entry) Next(a Action, at time.Time) (Entry, error) {
	next := Entry{Seq: e.Seq + 1, At: at.UTC(), Action: a, PrevHash: e.Hash}
	var err error
	next.Hash, err = hashchain.Hash(next)
	return next, err
}

// VerifyAfter checks that an entry is whole and stands behind the one before it.
func (e Entry) VerifyAfter(before Entry) error {
	bare := e
	bare.Hash = ""
	return hashchain.Verify("the audit trail", before.chainEntry(), e.chainEntry(), bare)
}

func (e Entry) chainEntry() hashchain.Entry {
	return hashchain.Entry{Seq: e.Seq, PrevHash: e.PrevHash, Hash: e.Hash}
}

// PendingAction is an act that is under way. It is written down once, together with the
// first thing that it changes.
type PendingAction struct {
	Action   // a subject that is set here is kept, before what the first change is about
	At       time.Time
	Fallback string        // the object of an action that writes nothing with a name
	People   Pseudonymizer // nil leaves people out
	recorded atomic.Bool
}

// MarkRecorded says that the act is written down.
func (p *PendingAction) MarkRecorded() { p.recorded.Store(true) }

// Unrecorded reports whether the act must still be written down.
func (p *PendingAction) Unrecorded() bool { return p != nil && !p.recorded.Load() }

type contextKey struct{}

// NewContext returns a context for what is done in the course of an act.
func NewContext(ctx context.Context, p *PendingAction) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// FromContext is the act in whose course something is done; nil for what the agent does of
// itself.
func FromContext(ctx context.Context) *PendingAction {
	p, _ := ctx.Value(contextKey{}).(*PendingAction)
	return p
}
