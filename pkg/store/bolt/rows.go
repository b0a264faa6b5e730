package bolt

import (
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/record"
	"github.com/vecctl/vecctl/pkg/store/bolt/tree"
)

// Rows opens the tables of another part of the program, each a bucket beside the
// store's own, and makes those that are missing.
func (s *Store) Rows(tables ...string) (store.Rows, error) {
	missing := false
	err := s.view(context.Background(), func(t *txn) error {
		for _, name := range tables {
			missing = missing || t.Bucket([]byte(name)) == nil
		}
		return nil
	})
	if err != nil || !missing {
		return rows{s}, err
	}
	return rows{s}, s.file.Update(func(tx *bbolt.Tx) error {
		for _, name := range tables {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return fmt.Errorf("making the table %s: %w", name, err)
			}
		}
		return nil
	})
}

type rows struct{ store *Store }

// View implements store.Rows.
func (r rows) View(ctx context.Context, fn func(store.RowReader) error) error {
	return r.store.view(ctx, func(t *txn) error { return fn(rowReader{t.Tx}) })
}

// Update implements store.Rows.
func (r rows) Update(ctx context.Context, fn func(store.RowWriter) error) error {
	return r.store.update(ctx, func(t *txn) error {
		w := rowWriter{rowReader: rowReader{t.Tx}, written: map[rowName][]byte{}}
		if err := fn(&w); err != nil {
			return err
		}
		return w.flush(t)
	})
}

type rowReader struct{ tx *tree.Tx }

func (r rowReader) bucket(table string) (*bbolt.Bucket, error) {
	if b := r.tx.Bucket([]byte(table)); b != nil {
		return b, nil
	}
	return nil, fault.Newf(fault.Damaged, "the table %s is missing in the database; restore the home from a backup", table)
}

func (r rowReader) Get(table, key string) ([]byte, error) {
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

func (r rowReader) Scan(table, from string, fn func(string, []byte) (bool, error)) error {
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

type rowName struct{ table, key string }

// rowWriter gathers writes until its function has ended well: a transaction is
// shared with others, and what was written could not be taken back alone.
type rowWriter struct {
	rowReader
	written map[rowName][]byte // nil for what is deleted
	order   []rowName
}

func (w *rowWriter) Get(table, key string) ([]byte, error) {
	if value, ok := w.written[rowName{table, key}]; ok {
		return value, nil
	}
	return w.rowReader.Get(table, key)
}

func (w *rowWriter) Put(table, key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	w.note(rowName{table, key}, value)
}

func (w *rowWriter) Delete(table, key string) { w.note(rowName{table, key}, nil) }

func (w *rowWriter) note(name rowName, value []byte) {
	if _, ok := w.written[name]; !ok {
		w.order = append(w.order, name)
	}
	w.written[name] = value
}

func (w *rowWriter) flush(t *txn) error {
	for _, name := range w.order {
		if _, err := w.bucket(name.table); err != nil {
			return err
		}
		table, key := []byte(name.table), []byte(name.key)
		value := w.written[name]
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
