package bolt

import (
	"context"
	"strconv"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
)

// rowTables implements store.Rows.
type rowTables struct{ store *Store }

// View implements store.Rows.
func (r rowTables) View(ctx context.Context, fn func(store.RowReader) error) error {
	return r.store.view(ctx, func(t *txn) error { return fn(rowReader{t}) })
}

// Update implements store.Rows.
func (r rowTables) Update(ctx context.Context, fn func(store.RowWriter) error) error {
	return r.store.update(ctx, func(t *txn) error {
		w := rowWriter{rowReader: rowReader{t}, written: map[rowKey][]byte{}}
		if err := fn(&w); err != nil {
			return err
		}
		return w.flush(t)
	})
}

type rowReader struct{ tx *txn }

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
	return boltfile.VerifyChecksum([]byte(key), value)
}

func (r rowReader) Scan(table, from string, fn func(string, []byte) (bool, error)) error {
	b, err := r.bucket(table)
	if err != nil {
		return err
	}
	c := b.Cursor()
	for k, v := c.Seek([]byte(from)); k != nil; k, v = c.Next() {
		body, err := boltfile.VerifyChecksum(k, v)
		if err != nil {
			return err
		}
		if stop, err := fn(string(k), body); err != nil || stop {
			return err
		}
	}
	return nil
}

type rowKey struct{ table, key string }

// rowWriter gathers writes until its function has succeeded: a transaction is shared with
// other calls, and the writes of one could not be undone alone.
type rowWriter struct {
	rowReader
	written map[rowKey][]byte // nil for what is deleted
	order   []rowKey
}

func (w *rowWriter) Get(table, key string) ([]byte, error) {
	if value, ok := w.written[rowKey{table, key}]; ok {
		return value, nil
	}
	return w.rowReader.Get(table, key)
}

func (w *rowWriter) Put(table, key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	w.note(rowKey{table, key}, value)
}

func (w *rowWriter) Delete(table, key string) { w.note(rowKey{table, key}, nil) }

func (w *rowWriter) note(n rowKey, value []byte) {
	if _, ok := w.written[n]; !ok {
		w.order = append(w.order, n)
	}
	w.written[n] = value
}

// noteRow names the first record among the rows for the audit trail; entries of indexes have
// an empty value.
func (w *rowWriter) noteRow(t *txn) {
	for _, n := range w.order {
		if len(w.written[n]) > 0 {
			t.about.note(0, strings.ReplaceAll(n.table, "_", " ")+" "+strconv.Quote(n.key), "")
			return
		}
	}
}

func (w *rowWriter) flush(t *txn) error {
	w.noteRow(t)
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
		if err := t.Put(table, key, boltfile.AddChecksum(key, value)); err != nil {
			return err
		}
	}
	return nil
}
