package bolt

import (
	"context"

	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/vault/act"
)

// note adds an act to the audit trail.
func (t *txn) note(p *act.Pending) error {
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
	key := record.U64(next.Seq)
	value, err := record.Encode(key, next)
	if err != nil {
		return err
	}
	return t.Put(acts, key, value)
}

// NoteAct writes the act of a context down, unless that was done with the first
// thing that it changed.
func (s *Store) NoteAct(ctx context.Context) error {
	if !act.Of(ctx).Due() {
		return nil
	}
	return s.update(ctx, func(*txn) error { return nil })
}

// Acts returns up to n entries of the audit trail behind the one with a number, in
// order.
func (s *Store) Acts(ctx context.Context, after uint64, n int) ([]act.Entry, error) {
	return read(ctx, s, func(t *txn) ([]act.Entry, error) {
		found := []act.Entry{}
		c := t.Cursor(acts)
		for key, value := c.Seek(record.U64(after + 1)); key != nil && len(found) < n; key, value = c.Next() {
			var e act.Entry
			if err := record.Decode(key, value, &e); err != nil {
				return nil, err
			}
			found = append(found, e)
		}
		return found, nil
	})
}

// LastAct is the end of the audit trail; the zero Entry before the first.
func (s *Store) LastAct(ctx context.Context) (act.Entry, error) {
	return read(ctx, s, func(t *txn) (last act.Entry, err error) {
		if key, value := t.Cursor(acts).Last(); key != nil {
			err = record.Decode(key, value, &last)
		}
		return last, err
	})
}
