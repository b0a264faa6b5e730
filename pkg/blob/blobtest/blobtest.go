// Package blobtest is the suite that every store of blobs must pass: it holds a store to
// the doc comments of package blob. Memory is a store for tests of other packages.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
)

type test struct {
	name string
	run  func(*fixture)
}

// Run runs the suite. The function opens the store that belongs to a folder, and makes it
// when there is none. A store is not closed before it is opened again, as after a crash.
func Run(t *testing.T, open func(dir string) (blob.Store, error)) {
	t.Helper()
	for _, tt := range slices.Concat(contentTests(), removalTests()) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &fixture{T: t, open: open, dir: t.TempDir()}
			f.reopen()
			tt.run(f)
		})
	}
}

// fixture is a store, and what tests do with it.
type fixture struct {
	*testing.T
	store blob.Store
	open  func(dir string) (blob.Store, error)
	dir   string
}

// limit is more than any content of the tests has.
const limit = 1 << 20

func (f *fixture) reopen() {
	f.Helper()
	var err error
	f.store, err = f.open(f.dir)
	f.check(err)
}

func (f *fixture) check(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) stage(content string) *blob.Staged {
	f.Helper()
	st, err := f.store.Stage(f.Context(), strings.NewReader(content), limit)
	f.check(err)
	return st
}

func (f *fixture) commit(staged ...*blob.Staged) {
	f.Helper()
	f.check(f.store.Commit(f.Context(), staged...))
}

// keep stores contents and returns their names.
func (f *fixture) keep(contents ...string) (sums []string) {
	f.Helper()
	for _, content := range contents {
		st := f.stage(content)
		f.commit(st)
		sums = append(sums, st.SHA256)
	}
	return sums
}

func (f *fixture) read(sum string) string {
	f.Helper()
	opened, err := f.store.Open(f.Context(), sum)
	f.check(err)
	return f.readAll(opened)
}

func (f *fixture) readAll(opened blob.File) string {
	f.Helper()
	body, err := io.ReadAll(opened)
	f.check(errors.Join(err, opened.Close()))
	return string(body)
}

// has wants the store to have these contents and no other.
func (f *fixture) has(sums ...string) {
	f.Helper()
	all, err := f.store.List(f.Context())
	f.check(err)
	if want := slices.Sorted(slices.Values(sums)); !slices.Equal(all, want) {
		f.Errorf("the store has %q, want %q", all, want)
	}
}

// sweep sweeps all parts.
func (f *fixture) sweep(before time.Time, referenced ...string) int {
	f.Helper()
	removed := 0
	for part := range blob.Parts {
		n, err := f.store.Sweep(f.Context(), part, before, references(referenced...))
		f.check(err)
		removed += n
	}
	return removed
}

func references(sums ...string) blob.Referenced {
	return func(_ context.Context, sum string) (bool, error) { return slices.Contains(sums, sum), nil }
}

// brokenReader gives some bytes and then fails.
func brokenReader(err error) io.Reader {
	return io.MultiReader(bytes.NewReader(make([]byte, 300_000)), errorReader{err})
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }
