package boltfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
)

// written makes a file with entries of which some were changed and every third deleted, so
// that freed pages of one, two and many pages lie between others. Each deleted entry has
// the word "canary".
func written(t *testing.T) (*boltfile.File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "wipe.db")
	f, err := boltfile.Open(path, time.Second)
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	name := []byte("things")
	key := func(i int) []byte { return []byte(fmt.Sprintf("%06d", i)) }
	const entries = 240
	for i := range entries {
		must(t, f.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists(name)
			if err != nil {
				return err
			}
			text := "kept "
			if i%3 == 0 {
				text = "canary "
			}
			return b.Put(key(i), []byte(strings.Repeat(text, 1+(i*i)%2500)))
		}))
	}
	for i := 0; i < entries; i += 3 {
		must(t, f.Update(func(tx *bbolt.Tx) error { return tx.Bucket(name).Delete(key(i)) }))
	}
	return f, path
}

func canaries(t *testing.T, path string) int {
	t.Helper()
	body, err := os.ReadFile(path)
	must(t, err)
	return bytes.Count(body, []byte("canary"))
}

func TestWhatWasDeletedIsOverwritten(t *testing.T) {
	t.Parallel()
	f, path := written(t)
	if canaries(t, path) == 0 {
		t.Fatal("the file has nothing that could be found")
	}
	before, err := os.Stat(path)
	must(t, err)
	must(t, f.WipeFree(t.Context()))
	if n := canaries(t, path); n != 0 {
		t.Errorf("%d deleted words are in the file", n)
	}
	after, err := os.Stat(path)
	must(t, err)
	if after.Size() > before.Size()+before.Size()/10+2<<20 {
		t.Errorf("the file grew from %d to %d bytes", before.Size(), after.Size())
	}
	must(t, f.View(func(tx *bbolt.Tx) error {
		if n := tx.Bucket([]byte("things")).Stats().KeyN; n != 160 {
			t.Errorf("%d entries are left", n)
		}
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	}))
}

// A reader that began before still sees all, and the wiping waits for it.
func TestWipingWaitsForReaders(t *testing.T) {
	t.Parallel()
	f, path := written(t)
	began, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- f.View(func(tx *bbolt.Tx) error {
			close(began)
			<-end
			return tx.Bucket([]byte("things")).ForEach(func(_, v []byte) error {
				if !bytes.HasPrefix(v, []byte("kept")) {
					return errors.New("a reader sees what was overwritten")
				}
				return nil
			})
		})
	}()
	<-began
	must(t, f.Update(func(tx *bbolt.Tx) error { return tx.Bucket([]byte("things")).Delete([]byte("000001")) }))
	ctx, stop := context.WithCancel(t.Context())
	wiped := make(chan error, 1)
	go func() { wiped <- f.WipeFree(ctx) }()
	must(t, f.View(func(*bbolt.Tx) error { return nil })) // others go on
	select {
	case err := <-wiped:
		t.Errorf("it did not wait: %v", err)
	default:
	}
	stop()
	if err := <-wiped; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(end)
	must(t, <-ended)
	must(t, f.WipeFree(t.Context()))
	if n := canaries(t, path); n != 0 {
		t.Errorf("%d deleted words are in the file", n)
	}
}

func TestACopyHasLivePagesAlone(t *testing.T) {
	t.Parallel()
	f, path := written(t)
	copied := filepath.Join(t.TempDir(), "copy.db")
	must(t, f.View(func(tx *bbolt.Tx) error {
		live, err := f.LivePages(tx)
		if err != nil {
			return err
		}
		to, err := os.Create(copied)
		if err != nil {
			return err
		}
		n, err := live.WriteTo(to)
		if n != tx.Size() {
			t.Errorf("%d bytes of %d were written", n, tx.Size())
		}
		return errors.Join(err, to.Close())
	}))
	if canaries(t, path) == 0 || canaries(t, copied) != 0 {
		t.Errorf("%d deleted words are in the file, %d in the copy", canaries(t, path), canaries(t, copied))
	}
	again, err := boltfile.Open(copied, time.Second)
	must(t, err)
	defer again.Close()
	must(t, again.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		n := 0
		err := tx.Bucket([]byte("things")).ForEach(func(_, v []byte) error {
			if n++; !bytes.HasPrefix(v, []byte("kept")) {
				return fmt.Errorf("an entry is %.20q", v)
			}
			return nil
		})
		if n != 160 {
			t.Errorf("%d entries are left", n)
		}
		return err
	}))
	must(t, again.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("more")); return err }))
}

// Two erasures at once overwrite one after the other.
func TestWipingTwiceAtOnce(t *testing.T) {
	t.Parallel()
	f, path := written(t)
	ended := make(chan error)
	for range 2 {
		go func() { ended <- f.WipeFree(context.WithoutCancel(t.Context())) }()
	}
	must(t, errors.Join(<-ended, <-ended))
	if n := canaries(t, path); n != 0 {
		t.Errorf("%d deleted words are in the file", n)
	}
}
