package boltfile

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
)

// After a commit that did not reach the disk nothing is written and nothing read, and anyone who
// waits for that is told. The file is what it was before, or after; here it is what it was.
func TestAFailedCommitIsTheLast(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	open := func() *File {
		f, err := Open(path, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	put := func(f *File, value string) error {
		return f.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("b"))
			if err != nil {
				return err
			}
			return b.Put([]byte("k"), []byte(value))
		})
	}
	f := open()
	if err := put(f, "kept"); err != nil {
		t.Fatal(err)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := f.WaitFailure(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("before it failed: %v", err)
	}
	if err := f.os.Close(); err != nil { // from now on nothing can be written
		t.Fatal(err)
	}
	first := put(f, "lost")
	if !fault.Is(first, fault.Damaged) || !strings.Contains(first.Error(), path) || !strings.Contains(first.Error(), "start it again") {
		t.Errorf("got %v", first)
	}
	called := false
	again := f.Update(func(*bbolt.Tx) error { called = true; return nil })
	read := f.View(func(*bbolt.Tx) error { called = true; return nil })
	if called || again == nil || read == nil || again.Error() != first.Error() || read.Error() != first.Error() {
		t.Errorf("after the failure: %v, %v, %v", called, again, read)
	}
	if err := f.WaitFailure(t.Context()); err == nil || err.Error() != first.Error() {
		t.Errorf("it failed, and the waiting is told %v", err)
	}
	_ = f.Close() // what is closed already
	g := open()
	defer g.Close()
	if err := g.View(func(tx *bbolt.Tx) error {
		if got := tx.Bucket([]byte("b")).Get([]byte("k")); string(got) != "kept" {
			t.Errorf("got %q", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// A disk that is full takes nothing more and forgets nothing.
func TestAFullDiskIsNoFailure(t *testing.T) {
	write := &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, test := range []struct {
		err  error
		want bool
	}{
		{write, true}, {&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, true},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EIO}, false},
		{syscall.EIO, false}, {syscall.ENOSPC, false}, // of a flush
	} {
		if got := refusedByDisk(test.err); got != test.want {
			t.Errorf("%v: got %v", test.err, got)
		}
	}
}
