// Package row keeps the rows of other parts of the program, in tables beside the
// store's own.
package row

import (
	"context"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
)

// Rows implements store.Rows.
type Rows struct {
	read, write func(context.Context, func(*tree.Tx) error) error
}

// New works with functions that run another in a transaction.
func New(read, write func(context.Context, func(*tree.Tx) error) error) Rows {
	return Rows{read: read, write: write}
}

// View implements store.Rows.
func (r Rows) View(ctx context.Context, fn func(store.RowReader) error) error {
	return r.read(ctx, func(t *tree.Tx) error { return fn(reader{t}) })
}

// Update implements store.Rows.
func (r Rows) Update(ctx context.Context, fn func(store.RowWriter) error) error {
	return r.write(ctx, func(t *tree.Tx) error {
		w := writer{reader: reader{t}, written: map[name][]byte{}}
		if err := fn(&w); err != nil {
			return err
		}
		return w.flush(t)
	})
}

type reader struct{ tx *tree.Tx }

func (r reader) bucket(table string) (*bbolt.Bucket, error) {
	if b := r.tx.Bucket([]byte(table)); b != nil {
		return b, nil
	}
	return nil, fault.Newf(fault.Damaged, "the table %s is missing in the database; restore the home from a backup", table)
}

func (r reader) Get(table, key string) ([]byte, error) {
	b, err := r.bucket(table)
	if err != nil {
		return nil, err
	}
	value := b.Get([]byte(key))
	if value == nil {
		return nil, nil
	}
	return record.Unseal([]byte(key), value)
}

func (r reader) Scan(table, from string, fn func(string, []byte) (bool, error)) error {
	b, err := r.bucket(table)
	if err != nil {
		return err
	}
	c := b.Cursor()
	for k, v := c.Seek([]byte(from)); k != nil; k, v = c.Next() {
		body, err := record.Unseal(k, v)
		if err != nil {
			return err
		}
		if stop, err := fn(string(k), body); err != nil || stop {
			return err
		}
	}
	return nil
}

type name struct{ table, key string }

// writer gathers writes until its function has ended well: a transaction is
// shared with others, and what was written could not be taken back alone.
type writer struct {
	reader
	written map[name][]byte // nil for what is deleted
	order   []name
}

func (w *writer) Get(table, key string) ([]byte, error) {
	if value, ok := w.written[name{table, key}]; ok {
		return value, nil
	}
	return w.reader.Get(table, key)
}

func (w *writer) Put(table, key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	w.note(name{table, key}, value)
}

func (w *writer) Delete(table, key string) { w.note(name{table, key}, nil) }

func (w *writer) note(n name, value []byte) {
	if _, ok := w.written[n]; !ok {
		w.order = append(w.order, n)
	}
	w.written[n] = value
}

func (w *writer) flush(t *tree.Tx) error {
	for _, n := range w.order {
		if _, err := w.bucket(n.table); err != nil {
			return err
		}
		table, key := []byte(n.table), []byte(n.key)
		value := w.written[n]
		if value == nil {
			if err := t.Delete(table, key); err != nil {
				return err
			}
			continue
		}
		if err := t.Put(table, key, record.Seal(key, value)); err != nil {
			return err
		}
	}
	return nil
}
