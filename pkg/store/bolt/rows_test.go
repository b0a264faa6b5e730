package bolt

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
)

func openRows(t *testing.T, path string) (*Store, store.Rows) {
	t.Helper()
	s, err := Open(path, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r, err := s.Rows("a_things", "a_index")
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func TestRowsAreWrittenWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "v.db")
	s, rows := openRows(t, path)
	put := func(fail error) error {
		return rows.Update(t.Context(), func(w store.RowWriter) error {
			w.Put("a_things", "k", []byte("v"))
			w.Put("a_index", "x", nil)
			if v, err := w.Get("a_things", "k"); string(v) != "v" || err != nil {
				t.Errorf("within the transaction: %q, %v", v, err)
			}
			return fail
		})
	}
	get := func() (v []byte) {
		err := rows.View(t.Context(), func(r store.RowReader) (err error) { v, err = r.Get("a_things", "k"); return err })
		if err != nil {
			t.Error(err)
		}
		return append([]byte(nil), v...)
	}
	broken := errors.New("no")
	if err := put(broken); !errors.Is(err, broken) || len(get()) != 0 {
		t.Errorf("a refused transaction: %v, %q", err, get())
	}
	if err := put(nil); err != nil || string(get()) != "v" {
		t.Errorf("%v, %q", err, get())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, rows = openRows(t, path)
	if string(get()) != "v" {
		t.Error("gone after closing")
	}
	var keys []string
	err := rows.Update(t.Context(), func(w store.RowWriter) error {
		w.Delete("a_things", "k")
		return w.Scan("a_index", "", func(k string, v []byte) (bool, error) { keys = append(keys, k); return false, nil })
	})
	if err != nil || len(keys) != 1 || keys[0] != "x" || len(get()) != 0 {
		t.Errorf("%v, %v, %q", err, keys, get())
	}
	err = rows.View(t.Context(), func(r store.RowReader) error { _, err := r.Get("nothing", "k"); return err })
	if !fault.Is(err, fault.Damaged) {
		t.Errorf("a table that is missing: %v", err)
	}
}

// Of many who write at once, one that is refused takes nobody with it.
func TestRowsOfManyAtOnce(t *testing.T) {
	t.Parallel()
	_, rows := openRows(t, filepath.Join(t.TempDir(), "v.db"))
	var work sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 50 {
		work.Go(func() {
			err := rows.Update(t.Context(), func(w store.RowWriter) error {
				if v, err := w.Get("a_things", "one"); v != nil || err != nil {
					return fault.New(fault.Conflict, "taken")
				}
				w.Put("a_things", "one", []byte("mine"))
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	work.Wait()
	if won != 1 {
		t.Errorf("%d won", won)
	}
}
