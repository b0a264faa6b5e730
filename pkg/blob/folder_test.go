package blob_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/blob/blobtest"
	"github.com/vecctl/vecctl/pkg/fault"
)

func TestFolder(t *testing.T) {
	blobtest.Run(t, func(dir string) (blob.Store, error) {
		s, err := blob.OpenFolder(filepath.Join(dir, "blobs"))
		if err != nil {
			return nil, err
		}
		return s, nil
	})
}

// temporaries counts what is staged in a folder.
func temporaries(t *testing.T, root string) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, "tmp"))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// Temporary files are there while content is staged and no longer.
func TestTemporaryFiles(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "blobs")
	s, err := blob.OpenFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	stage := func(content string) *blob.Staged {
		t.Helper()
		st, err := s.Stage(t.Context(), strings.NewReader(content), 5)
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	want := func(n int, when string) {
		t.Helper()
		if left := temporaries(t, root); left != n {
			t.Errorf("%s: %d temporary files, want %d", when, left, n)
		}
	}
	if _, err := s.Stage(t.Context(), strings.NewReader("123456"), 5); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	want(0, "too large")
	if _, err := s.Stage(t.Context(), failing{}, 5); err == nil {
		t.Error("no error")
	}
	want(0, "a reader that fails")
	first, twin, dropped := stage("a"), stage("a"), stage("b")
	want(3, "staged")
	dropped.Discard()
	if err := s.Commit(t.Context(), first, twin); err != nil {
		t.Fatal(err)
	}
	want(0, "committed")
	stage("c")
	want(1, "staged again")
	if _, err := blob.OpenFolder(root); err != nil {
		t.Fatal(err)
	}
	want(0, "opened after a crash")
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fs.ErrInvalid }

// The layout is part of the home: backups and other programs read it.
func TestTheLayoutOfTheFolder(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "blobs")
	s, err := blob.OpenFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	st, err := s.Stage(t.Context(), strings.NewReader("hello"), 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), st); err != nil {
		t.Fatal(err)
	}
	const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	if body, err := os.ReadFile(filepath.Join(root, "2c", sum)); err != nil || string(body) != "hello" {
		t.Errorf("%q, %v", body, err)
	}
	// A home that was restored may lack folders.
	for _, name := range []string{"tmp", "ff", "00"} {
		if err := os.Remove(filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = blob.OpenFolder(root); err != nil {
		t.Fatal(err)
	}
	if all, err := s.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%q, %v", all, err)
	}
}

func TestDiskErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("permissions do not bind this user")
	}
	root := filepath.Join(t.TempDir(), "blobs")
	s, err := blob.OpenFolder(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "tmp"), 0o500); err != nil {
		t.Fatal(err)
	}
	_, err = s.Stage(t.Context(), strings.NewReader("x"), 10)
	if !fault.Is(err, fault.Full) || !strings.Contains(err.Error(), "permission denied") {
		t.Fatalf("got %v", err)
	}
}
