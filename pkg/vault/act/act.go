// Package act is what people and programs did to a vault, as a list of which each
// entry holds the hash of the one before: whoever changes one must change all after
// it.
package act

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/vecctl/vecctl/pkg/chain"
)

// Act is something that was done.
type Act struct {
	Who  string `json:"who"`  // "staff", "staff (their name on the machine)", "token NAME (ID)"
	What string `json:"what"` // method and path of the call
	From string `json:"from"` // the caller's address; "local" through the staff's door
}

// Entry is an act in the list.
type Entry struct {
	Seq uint64    `json:"seq"` // from 1
	At  time.Time `json:"at"`
	Act
	Before string `json:"before"` // the hash of the entry before; "" in the first
	Hash   string `json:"hash"`   // SHA-256 of the entry's JSON without its hash, in hexadecimal
}

// Chain makes the entry that follows another; the zero Entry stands before the
// first.
func (e Entry) Chain(a Act, at time.Time) (Entry, error) {
	next := Entry{Seq: e.Seq + 1, At: at.UTC(), Act: a, Before: e.Hash}
	var err error
	next.Hash, err = chain.Hash(next)
	return next, err
}

// Follows checks that an entry is whole and stands behind the one before it.
func (e Entry) Follows(before Entry) error {
	bare := e
	bare.Hash = ""
	return chain.Check("the audit trail", before.link(), e.link(), bare)
}

func (e Entry) link() chain.Link { return chain.Link{Seq: e.Seq, Before: e.Before, Hash: e.Hash} }

// Pending is an act that is under way. It is written down once, together with the
// first thing that it changes.
type Pending struct {
	Act
	At    time.Time
	noted atomic.Bool
}

// Noted says that the act is written down.
func (p *Pending) Noted() { p.noted.Store(true) }

// Due tells whether the act must still be written down.
func (p *Pending) Due() bool { return p != nil && !p.noted.Load() }

type key struct{}

// Into returns a context for what is done in the course of an act.
func Into(ctx context.Context, p *Pending) context.Context { return context.WithValue(ctx, key{}, p) }

// Of is the act in whose course something is done; nil for what the agent does of
// itself.
func Of(ctx context.Context) *Pending {
	p, _ := ctx.Value(key{}).(*Pending)
	return p
}
