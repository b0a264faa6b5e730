package fsutil

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
)

func TestWriteFileIsWholeAndPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	put := func(s string, fail error) error {
		return WriteFile(path, 0o600, func(w io.Writer) error {
			_, err := io.WriteString(w, s)
			return errors.Join(err, fail)
		})
	}
	if err := put("first", nil); err != nil {
		t.Fatal(err)
	}
	if err := put("second, cut off", os.ErrClosed); err == nil {
		t.Fatal("a failed write was reported as done")
	}
	b, err := os.ReadFile(path)
	if err != nil || string(b) != "first" {
		t.Fatalf("%q, %v", b, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
}

func TestTidyRemovesWhatADeadWriterOfTheFileLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.csv")
	for _, name := range []string{path, filepath.Join(filepath.Dir(path), strings.Repeat("n", 255))} {
		left := ""
		died := errors.New("died")
		err := WriteFile(name, 0o600, func(w io.Writer) error {
			left = w.(*earlyFlusher).file.Name()
			return died
		})
		if !errors.Is(err, died) {
			t.Fatal(err)
		}
		// A process that dies does not clean up.
		if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveTemp(path); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v; want the other file's temporary one alone", entries, err)
	}
}

// An error of the file system says what failed, where, and what to do; one that
// nobody can fix has no message for people.
func TestDiskErrorKinds(t *testing.T) {
	for _, test := range []struct {
		err  error
		kind fault.Kind
		says string
	}{
		{&os.PathError{Op: "write", Path: "/home/x", Err: syscall.ENOSPC}, fault.Full, "storing /home/x: the disk is full; make room"},
		{&os.PathError{Op: "open", Path: "/home/x", Err: syscall.EACCES}, fault.Full, "storing /home/x: permission denied"},
		{fmt.Errorf("deep: %w", &os.PathError{Op: "open", Path: "/home/x", Err: syscall.EROFS}), fault.Full, "read-only"},
		{&os.PathError{Op: "open", Path: "/home/x", Err: syscall.EMFILE}, fault.Full, "too many files are open"},
		{&os.PathError{Op: "open", Path: "/home/x", Err: syscall.EIO}, fault.Internal, ""},
		{fault.New(fault.Damaged, "as it was"), fault.Damaged, "as it was"},
	} {
		err := DiskError(test.err, "storing")
		message, ok := fault.Message(err)
		if fault.KindOf(err) != test.kind || !strings.Contains(message, test.says) || ok != (test.says != "") || !errors.Is(err, test.err) {
			t.Errorf("%v becomes %v: %q", test.err, fault.KindOf(err), message)
		}
	}
	if DiskError(nil, "storing") != nil {
		t.Error("no error became one")
	}
}

// Who gave a command is not always as whom it is done.
func TestDeniedSaysToWhomAndWhose(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	me := Owner(dir)
	if me == "" {
		t.Skip("no owners of this kind")
	}
	if text := DescribeDenied(filepath.Join(dir, "missing")); !strings.Contains(text, "to the user "+me+", to whom it belongs") {
		t.Error(text)
	}
	if os.Getuid() != 0 {
		return
	}
	if err := os.Chown(dir, 4711, -1); err != nil {
		t.Fatal(err)
	}
	if text := DescribeDenied(filepath.Join(dir, "missing", "deeper")); !strings.Contains(text, "it belongs to the user 4711; run vecctl as 4711") {
		t.Error(text)
	}
}
