// Package trail keeps the audit trail: what people and programs did.
package trail

import (
	"context"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
	"github.com/vecctl/vecctl/pkg/vault/act"
)

// The bucket; package schema draws it.
var acts = []byte("acts")

// Buckets are those that only this package writes to.
func Buckets() [][]byte { return [][]byte{acts} }

// Register is the audit trail of a store.
type Register struct {
	read, write func(context.Context, func(*tree.Tx) error) error
}

// New works with functions that run another in a transaction. That which writes
// notes the act of its context.
func New(read, write func(context.Context, func(*tree.Tx) error) error) *Register {
	return &Register{read: read, write: write}
}

// Note adds an act to the audit trail.
func Note(t *tree.Tx, p *act.Pending) error {
	var last act.Entry
	if key, value := t.Cursor(acts).Last(); key != nil {
		if err := record.Decode(key, value, &last); err != nil {
			return err
		}
	}
	next, err := last.Chain(p.Act, p.At)
	if err != nil {
		return err
	}
	return t.Keep(acts, record.U64(next.Seq), next)
}

// NoteAct writes the act of a context down, unless that was done with the first
// thing that it changed.
func (s *Register) NoteAct(ctx context.Context) error {
	if !act.Of(ctx).Due() {
		return nil
	}
	return s.write(ctx, func(*tree.Tx) error { return nil })
}

// Acts returns up to n entries of the audit trail behind the one with a number, in
// order.
func (s *Register) Acts(ctx context.Context, after uint64, n int) ([]act.Entry, error) {
	return tree.Run(ctx, s.read, func(t *tree.Tx) ([]act.Entry, error) {
		found := []act.Entry{}
		c := t.Cursor(acts)
		for key, value := c.Seek(record.U64(after + 1)); key != nil && len(found) < n; key, value = c.Next() {
			var e act.Entry
			if err := record.Decode(key, value, &e); err != nil {
				return nil, fault.At("the audit trail", err)
			}
			found = append(found, e)
		}
		return found, nil
	})
}
