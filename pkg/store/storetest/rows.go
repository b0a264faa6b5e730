package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
)

// rowTests are what stores promise about rows.
func rowTests() []test {
	return []test{
		{"rows are written together or not at all", rowsTogether},
		{"rows are scanned in order", rowsInOrder},
		{"rows of any bytes", rowsOfAnyBytes},
		{"rows of many at once", rowsOfMany},
		{"rows are read as of one moment", rowsOfOneMoment},
		{"rows stay when the store is opened again", rowsStay},
		{"tables of rows", tablesOfRows},
		{"rows in a context that has ended", rowsInEndedContext},
	}
}

// rows opens two tables.
func (f *fixture) rows() store.Rows {
	f.Helper()
	r, err := f.store.Rows("x_things", "x_index")
	f.check(err)
	return r
}

// readRow reads a row, nil where there is none.
func (f *fixture) readRow(r store.Rows, table, key string) []byte {
	f.Helper()
	var value []byte
	f.check(r.View(f.Context(), func(r store.RowReader) error {
		v, err := r.Get(table, key)
		value = bytes.Clone(v)
		return err
	}))
	return value
}

// scan lists a table from a key on, as "key=value".
func (f *fixture) scan(r store.Rows, table, from string) (all []string) {
	f.Helper()
	f.check(r.View(f.Context(), func(r store.RowReader) error {
		return r.Scan(table, from, func(key string, value []byte) (bool, error) {
			all = append(all, key+"="+string(value))
			return false, nil
		})
	}))
	return all
}

func (f *fixture) putRow(r store.Rows, table, key, value string) {
	f.Helper()
	f.check(r.Update(f.Context(), func(w store.RowWriter) error { w.Put(table, key, []byte(value)); return nil }))
}

func rowsTogether(f *fixture) {
	r := f.rows()
	put := func(fail error) error {
		return r.Update(f.Context(), func(w store.RowWriter) error {
			w.Put("x_things", "k", []byte("v"))
			w.Put("x_index", "x", nil)
			if v, err := w.Get("x_things", "k"); string(v) != "v" || err != nil {
				f.Errorf("inside the transaction: %q, %v", v, err)
			}
			return fail
		})
	}
	broken := errors.New("no")
	if err := put(broken); !errors.Is(err, broken) {
		f.Errorf("the function's error became %v", err)
	}
	if v := f.readRow(r, "x_things", "k"); v != nil {
		f.Errorf("a transaction that failed left %q", v)
	}
	f.check(put(nil))
	if v := f.readRow(r, "x_things", "k"); string(v) != "v" {
		f.Errorf("the row is %q", v)
	}
	if v := f.readRow(r, "x_index", "x"); v == nil || len(v) != 0 {
		f.Errorf("a row without a value is %v", v)
	}
	f.check(r.Update(f.Context(), func(w store.RowWriter) error {
		w.Delete("x_things", "k")
		w.Delete("x_things", "never there")
		if v, err := w.Get("x_things", "k"); v != nil || err != nil {
			f.Errorf("a deleted row inside the transaction: %q, %v", v, err)
		}
		w.Put("x_index", "x", []byte("first"))
		w.Put("x_index", "x", []byte("last"))
		return nil
	}))
	f.wantSame(f.scan(r, "x_things", ""), []string(nil), "after the deletion")
	f.wantSame(f.scan(r, "x_index", ""), []string{"x=last"}, "the other table")
}

func rowsInOrder(f *fixture) {
	r := f.rows()
	for _, key := range []string{"b", "a", "ab", "B", "é", "b1", "10", "9"} {
		f.putRow(r, "x_things", key, "v")
	}
	f.wantSame(f.scan(r, "x_things", ""), []string{"10=v", "9=v", "B=v", "a=v", "ab=v", "b=v", "b1=v", "é=v"}, "all rows")
	f.wantSame(f.scan(r, "x_things", "aa"), []string{"ab=v", "b=v", "b1=v", "é=v"}, "from a key on that is none")
	f.wantSame(f.scan(r, "x_things", "b1"), []string{"b1=v", "é=v"}, "from a key on")
	n, stopped := 0, errors.New("stopped")
	f.check(r.Update(f.Context(), func(w store.RowWriter) error {
		w.Put("x_things", "a0", []byte("new"))
		return w.Scan("x_things", "a", func(key string, _ []byte) (bool, error) {
			if n++; key == "a0" {
				f.Error("a scan sees what its transaction writes")
			}
			return key == "b", nil
		})
	}))
	if n != 3 {
		f.Errorf("%d rows until the scan was stopped", n)
	}
	err := r.View(f.Context(), func(r store.RowReader) error {
		return r.Scan("x_things", "", func(string, []byte) (bool, error) { return false, stopped })
	})
	if !errors.Is(err, stopped) {
		f.Errorf("a scan whose function failed: %v", err)
	}
}

func rowsOfAnyBytes(f *fixture) {
	r := f.rows()
	value := make([]byte, 70_000)
	for i := range value {
		value[i] = byte(i)
	}
	key := "k" + strings.Repeat("ü", 400)
	f.check(r.Update(f.Context(), func(w store.RowWriter) error {
		w.Put("x_things", key, value)
		return nil
	}))
	if !bytes.Equal(f.readRow(r, "x_things", key), value) {
		f.Error("the row came back changed")
	}
}

// rowsOfMany lets many decide by what they read: one wins, and one that is refused takes
// no other with it.
func rowsOfMany(f *fixture) {
	r := f.rows()
	var work sync.WaitGroup
	outcomes := make([]error, 50)
	for i := range outcomes {
		work.Go(func() {
			outcomes[i] = r.Update(f.Context(), func(w store.RowWriter) error {
				if v, err := w.Get("x_things", "one"); v != nil || err != nil {
					return errors.Join(err, fault.New(fault.Conflict, "taken"))
				}
				w.Put("x_things", "one", fmt.Append(nil, i))
				return nil
			})
		})
	}
	work.Wait()
	won := -1
	for i, err := range outcomes {
		switch {
		case err == nil && won >= 0:
			f.Errorf("%d and %d won", won, i)
		case err == nil:
			won = i
		case !fault.Is(err, fault.Conflict):
			f.Error(err)
		}
	}
	if v := f.readRow(r, "x_things", "one"); string(v) != fmt.Sprint(won) {
		f.Errorf("%d won and the row is %q", won, v)
	}
}

// rowsOfOneMoment reads two rows that always change together.
func rowsOfOneMoment(f *fixture) {
	r := f.rows()
	write := func(i int) {
		f.check(r.Update(f.Context(), func(w store.RowWriter) error {
			w.Put("x_things", "k", fmt.Append(nil, i))
			w.Put("x_index", "k", fmt.Append(nil, i))
			return nil
		}))
	}
	write(0)
	var reading sync.WaitGroup
	ctx, stop := context.WithCancel(f.Context())
	for range 4 {
		reading.Go(func() {
			for ctx.Err() == nil {
				err := r.View(f.Context(), func(r store.RowReader) error {
					a, err := r.Get("x_things", "k")
					b, err2 := r.Get("x_index", "k")
					if !bytes.Equal(a, b) {
						f.Errorf("read %q and %q", a, b)
					}
					return errors.Join(err, err2)
				})
				if err != nil {
					f.Error(err)
				}
			}
		})
	}
	for i := range 100 {
		write(i)
	}
	stop()
	reading.Wait()
}

func rowsStay(f *fixture) {
	f.putRow(f.rows(), "x_things", "k", "v")
	f.reopen()
	f.wantSame(f.scan(f.rows(), "x_things", ""), []string{"k=v"}, "after reopening")
}

func tablesOfRows(f *fixture) {
	r := f.rows()
	f.putRow(r, "x_things", "k", "v")
	more, err := f.store.Rows("x_things", "y_more")
	f.check(err)
	f.putRow(more, "y_more", "k", "w")
	f.wantSame(f.scan(more, "x_things", ""), []string{"k=v"}, "a table that was opened again")
	err = r.View(f.Context(), func(r store.RowReader) error { _, err := r.Get("nothing", "k"); return err })
	f.wantKind(err, fault.Damaged, "reading a table that does not exist")
	err = r.Update(f.Context(), func(w store.RowWriter) error { w.Put("nothing", "k", nil); return nil })
	f.wantKind(err, fault.Damaged, "writing to a table that does not exist")
}

func rowsInEndedContext(f *fixture) {
	r := f.rows()
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	if err := r.View(ctx, func(store.RowReader) error { f.Error("read"); return nil }); !errors.Is(err, context.Canceled) {
		f.Error(err)
	}
	if err := r.Update(ctx, func(store.RowWriter) error { f.Error("written"); return nil }); !errors.Is(err, context.Canceled) {
		f.Error(err)
	}
}
