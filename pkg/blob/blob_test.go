package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// manyFiles is above the number up to which each file is flushed by itself.
const manyFiles = 10

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func stage(t *testing.T, s *Store, content string) *Staged {
	t.Helper()
	st, err := s.Stage(strings.NewReader(content), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func read(t *testing.T, s *Store, sum string) string {
	t.Helper()
	f, err := s.Get(sum)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAContentIsThereAfterCommitAndNotBefore(t *testing.T) {
	s := open(t)
	st := stage(t, s, "hello")
	if _, err := s.Get(st.SHA256); !fault.Is(err, fault.Damaged) {
		t.Fatalf("before the commit: %v", err)
	}
	if err := s.Commit(st); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, st.SHA256); got != "hello" {
		t.Fatalf("read back %q", got)
	}
	if left := temporaries(t, s); left != 0 {
		t.Fatalf("%d temporary files left", left)
	}
}

func TestManyAtOnceAndTwins(t *testing.T) {
	s := open(t)
	var all []*Staged
	for i := range 3 * manyFiles {
		all = append(all, stage(t, s, strings.Repeat("x", i/2)))
	}
	if err := s.Commit(all...); err != nil {
		t.Fatal(err)
	}
	for i, st := range all {
		if got := read(t, s, st.SHA256); len(got) != i/2 {
			t.Fatalf("content %d has %d bytes", i, len(got))
		}
	}
	if left := temporaries(t, s); left != 0 {
		t.Fatalf("%d temporary files left", left)
	}
}

func TestTheHashStateGoesOn(t *testing.T) {
	s := open(t)
	st := stage(t, s, "original")
	hash := sha256.New()
	if err := hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(st.HashState); err != nil {
		t.Fatal(err)
	}
	hash.Write([]byte(" and tail"))
	want := sha256.Sum256([]byte("original and tail"))
	if !bytes.Equal(hash.Sum(nil), want[:]) {
		t.Fatal("the state does not continue the content")
	}
}

func TestTooLarge(t *testing.T) {
	s := open(t)
	if _, err := s.Stage(strings.NewReader("12345"), 5); err != nil {
		t.Fatalf("the limit itself: %v", err)
	}
	_, err := s.Stage(strings.NewReader("123456"), 5)
	if !fault.Is(err, fault.Invalid) {
		t.Fatalf("one byte more: %v", err)
	}
	if left := temporaries(t, s); left != 1 {
		t.Fatalf("%d temporary files, want the accepted one alone", left)
	}
}

func TestAReaderThatBreaksLeavesNothing(t *testing.T) {
	s := open(t)
	broken := io.MultiReader(strings.NewReader("abc"), iotestErr{})
	if _, err := s.Stage(broken, 100); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if left := temporaries(t, s); left != 0 {
		t.Fatalf("%d temporary files left", left)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestOpenRemovesWhatACrashLeft(t *testing.T) {
	s := open(t)
	stage(t, s, "never committed")
	again, err := Open(s.root)
	if err != nil {
		t.Fatal(err)
	}
	if left := temporaries(t, again); left != 0 {
		t.Fatalf("%d temporary files left", left)
	}
}

func TestSweep(t *testing.T) {
	s := open(t)
	used, unused, fresh := stage(t, s, "used"), stage(t, s, "unused"), stage(t, s, "fresh")
	if err := s.Commit(used, unused, fresh); err != nil {
		t.Fatal(err)
	}
	hour := time.Now().Add(-time.Hour)
	for _, st := range []*Staged{used, unused} {
		old := hour.Add(-time.Minute)
		if err := os.Chtimes(s.path(st.SHA256), old, old); err != nil {
			t.Fatal(err)
		}
	}
	n, err := s.Sweep(t.Context(), hour, func(sum string) (bool, error) { return sum == used.SHA256, nil })
	if err != nil || n != 1 {
		t.Fatalf("swept %d, %v", n, err)
	}
	read(t, s, used.SHA256)
	read(t, s, fresh.SHA256)
	if _, err := s.Get(unused.SHA256); !fault.Is(err, fault.Damaged) {
		t.Fatalf("the unused one: %v", err)
	}
}

func TestStoringAgainProtectsFromTheSweep(t *testing.T) {
	s := open(t)
	first := stage(t, s, "same")
	if err := s.Commit(first); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(s.path(first.SHA256), old, old); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(stage(t, s, "same")); err != nil {
		t.Fatal(err)
	}
	n, err := s.Sweep(t.Context(), time.Now().Add(-time.Hour), func(string) (bool, error) { return false, nil })
	if err != nil || n != 0 {
		t.Fatalf("swept %d, %v", n, err)
	}
}

func TestGetRefusesWhatIsNoSum(t *testing.T) {
	s := open(t)
	for _, name := range []string{"", "../../etc/passwd", strings.Repeat("z", 64), hex.EncodeToString([]byte("short"))} {
		if _, err := s.Get(name); !fault.Is(err, fault.Invalid) {
			t.Errorf("Get(%q): %v", name, err)
		}
	}
}

func TestDiskErrorsSayWhatToDo(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("permissions do not bind this user")
	}
	root := filepath.Join(t.TempDir(), "blobs")
	if _, err := Open(root); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), 0o500); err != nil {
		t.Fatal(err)
	}
	s := &Store{root: root}
	_, err := s.Stage(strings.NewReader("x"), 10)
	if !fault.Is(err, fault.Full) || !strings.Contains(err.Error(), "permission denied") {
		t.Fatalf("got %v", err)
	}
}

func temporaries(t *testing.T, s *Store) int {
	t.Helper()
	entries, err := os.ReadDir(s.temp())
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// While contents are stored again and again and swept without pause, what was
// stored last is there.
func TestStoringAgainstTheSweep(t *testing.T) {
	s := open(t)
	ctx, stop := context.WithCancel(t.Context())
	var sweeping sync.WaitGroup
	sweeping.Go(func() {
		for ctx.Err() == nil {
			// Everything goes but what was stored since the test began, however slow the disk is.
			if _, err := s.Sweep(ctx, time.Now().Add(-time.Hour/2), func(string) (bool, error) { return false, nil }); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
		}
	})
	for i := range 200 {
		st := stage(t, s, strings.Repeat("x", i%3))
		old := time.Now().Add(-time.Hour)
		_ = os.Chtimes(s.path(st.SHA256), old, old) // as if it lay there for long
		if err := s.Commit(st); err != nil {
			t.Fatal(err)
		}
		if got := read(t, s, st.SHA256); len(got) != i%3 {
			t.Fatalf("round %d: %q", i, got)
		}
	}
	stop()
	sweeping.Wait()
}
