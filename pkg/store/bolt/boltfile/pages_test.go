package boltfile_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
)

// deep makes a file with a tree of three levels and a small one, and returns
// the deep one's root page.
func deep(t *testing.T) (path string, root int64) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "deep.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		small, err := tx.CreateBucket([]byte("small"))
		if err != nil {
			return err
		}
		b, err := tx.CreateBucket([]byte("deep"))
		if err != nil {
			return err
		}
		for i := range 3000 {
			if err := b.Put([]byte(fmt.Sprintf("%0300d", i)), make([]byte, 300)); err != nil {
				return err
			}
		}
		return small.Put([]byte("k"), []byte("v"))
	}))
	must(t, db.View(func(tx *bbolt.Tx) error {
		root = int64(tx.Bucket([]byte("deep")).Root())
		if depth := tx.Bucket([]byte("deep")).Stats().Depth; depth < 3 {
			return fmt.Errorf("only %d levels", depth)
		}
		return nil
	}))
	must(t, db.Close())
	return path, root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, path string) error {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	must(t, err)
	defer db.Close()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	return db.View(func(tx *bbolt.Tx) error {
		return boltfile.CheckPages(tx, f, boltfile.CheckedBucket{Name: []byte("deep"), Visit: func(_, _ []byte) {}})
	})
}

// TestCheckFindsStrayKeys alters keys, so that bbolt would look for them on other
// pages than theirs.
func TestCheckFindsStrayKeys(t *testing.T) {
	const size = 300 // of a key
	key := func(i int) []byte { return fmt.Appendf(nil, "%0*d", size, i) }
	path, _ := deep(t)
	sound, err := os.ReadFile(path)
	must(t, err)
	found := 0
	for i := range 40 {
		for at := 0; ; {
			next := bytes.Index(sound[at:], key(i))
			if next < 0 {
				break
			}
			at += next + size
			b := bytes.Clone(sound)
			b[at-size] = '1' // above all others
			must(t, os.WriteFile(path, b, 0o600))
			if err := check(t, path); err != nil {
				found++
				if !strings.Contains(err.Error(), "belong elsewhere") {
					t.Errorf("key %d: %v", i, err)
				}
			}
		}
	}
	if found < 12 { // branches' keys, and the first and the last of each leaf
		t.Errorf("%d stray keys were found", found)
	}
}

func TestCheck(t *testing.T) {
	size := int64(os.Getpagesize())
	first := func(page int64) int64 { return page*size + 16 + 8 } // where its first reference stands
	tests := []struct {
		name string
		at   func(root int64) int64
		to   func(root int64) uint64
		says string // "" where all is well
	}{
		{"untouched", nil, nil, ""},
		{"the root refers to itself", first, func(root int64) uint64 { return uint64(root) }, "without leaves"},
		{"a later reference leads back", func(root int64) int64 { return first(root) + 16 }, func(root int64) uint64 { return uint64(root) }, "twice"},
		{"out of the file", first, func(int64) uint64 { return 1 << 40 }, "does not exist"},
		{"beyond all numbers", func(root int64) int64 { return first(root) + 16 }, func(int64) uint64 { return 1<<64 - 1 }, "does not exist"},
		{"to a page of another kind", first, func(int64) uint64 { return 0 }, "is not a valid page"},
		{"another page's number", func(root int64) int64 { return root * size }, func(root int64) uint64 { return uint64(root) + 1 }, "is not a valid page"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, root := deep(t)
			if tt.at != nil {
				f, err := os.OpenFile(path, os.O_WRONLY, 0)
				must(t, err)
				_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, tt.to(root)), tt.at(root))
				must(t, err)
				must(t, f.Close())
			}
			err := check(t, path)
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
		})
	}
}

// TestSmallBuckets damages a bucket that lies in its parent's page.
func TestSmallBuckets(t *testing.T) {
	path, _ := deep(t)
	must(t, check(t, path))
	whole, err := os.ReadFile(path)
	must(t, err)
	// Its value follows its name: its own header, a page with one element of the key
	// "k" and the value "v".
	at := strings.Index(string(whole), "small\x00\x00\x00\x00\x00\x00\x00\x00")
	if at < 0 {
		t.Fatal("the small bucket is not where it is looked for")
	}
	page := at + len("small") + 16
	for name, place := range map[string]int{
		"the kind of page": page + 8, "the count": page + 11, "where the key begins": page + 16 + 5,
		"the length of the key": page + 16 + 9, "the length of the value": page + 16 + 13,
	} {
		damaged := append([]byte(nil), whole...)
		damaged[place] ^= 0x30
		spoilt := filepath.Join(t.TempDir(), "spoilt.db")
		must(t, os.WriteFile(spoilt, damaged, 0o600))
		if check(t, spoilt) == nil {
			t.Errorf("%s: no damage is found", name)
		}
	}
}

// TestCheckTellsEachEntryOnce reads two buckets whole: one with a tree, and one that
// lies in its parent's page.
func TestCheckTellsEachEntryOnce(t *testing.T) {
	path, _ := deep(t)
	db, err := bbolt.Open(path, 0o600, nil)
	must(t, err)
	defer db.Close()
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	told := map[string]int{}
	note := func(key, _ []byte) { told[string(key)]++ }
	must(t, db.View(func(tx *bbolt.Tx) error {
		return boltfile.CheckPages(tx, f, boltfile.CheckedBucket{Name: []byte("deep"), Visit: note}, boltfile.CheckedBucket{Name: []byte("small"), Visit: note})
	}))
	if len(told) != 3001 {
		t.Errorf("%d entries, want 3001", len(told))
	}
	for key, n := range told {
		if n != 1 {
			t.Fatalf("%.40s is told %d times", key, n)
		}
	}
}

// TestCheckFindsFalseFreePages damages the list of free pages, from which bbolt would
// take the pages that it writes next.
func TestCheckFindsFalseFreePages(t *testing.T) {
	path, _ := deep(t)
	var root int64
	db, err := bbolt.Open(path, 0o600, nil)
	must(t, err)
	must(t, db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("deep"))
		for i := 500; i < 900; i++ {
			if err := b.Delete(fmt.Appendf(nil, "%0300d", i)); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, db.View(func(tx *bbolt.Tx) error {
		root = int64(tx.Bucket([]byte("deep")).Root())
		return nil
	}))
	must(t, db.Close())
	must(t, check(t, path))
	whole, err := os.ReadFile(path)
	must(t, err)
	order, size := binary.NativeEndian, os.Getpagesize()
	// The list of the last transaction, which is the longest.
	list := 0
	for at := 0; at < len(whole); at += size {
		if order.Uint16(whole[at+8:]) == 0x10 && order.Uint16(whole[at+10:]) > order.Uint16(whole[list+10:]) {
			list = at
		}
	}
	count := int(order.Uint16(whole[list+10:]))
	if list == 0 || count < 100 {
		t.Fatalf("%d free pages are listed on page %d", count, list/size)
	}
	id := func(i int) int { return list + 16 + 8*i }
	for name, spoil := range map[string]func(b []byte){
		"a page in use":             func(b []byte) { order.PutUint64(b[id(count-1):], uint64(root)) },
		"a page twice":              func(b []byte) { copy(b[id(3):], b[id(2):id(3)]) },
		"a page of no file":         func(b []byte) { b[id(count-1)+5] ^= 0x8a },
		"a number below none":       func(b []byte) { b[id(count-1)+7] ^= 0x80 },
		"a meta page":               func(b []byte) { order.PutUint64(b[id(0):], 1) },
		"the list itself":           func(b []byte) { order.PutUint64(b[id(count-1):], uint64(list/size)) },
		"more than there are":       func(b []byte) { order.PutUint16(b[list+10:], 0xfffe) },
		"a count that is elsewhere": func(b []byte) { order.PutUint16(b[list+10:], 0xffff) },
	} {
		t.Run(name, func(t *testing.T) {
			damaged := bytes.Clone(whole)
			spoil(damaged)
			spoilt := filepath.Join(t.TempDir(), "spoilt.db")
			must(t, os.WriteFile(spoilt, damaged, 0o600))
			if err := check(t, spoilt); err == nil {
				t.Error("no damage is found")
			} else if !strings.Contains(err.Error(), "free") {
				t.Error(err)
			}
		})
	}
}
