package blob_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/vecctl/vecctl/pkg/blob"
)

// A document that a killed process had named, and not made durable, is made durable when it
// comes again: the power may go at any moment after it was acknowledged.
func TestWhatAKilledProcessNamedIsFlushed(t *testing.T) {
	image, at := filepath.Join(t.TempDir(), "image"), t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("file systems can be mounted by root only")
	}
	mount := func() bool { return exec.Command("mount", "-o", "loop", image, at).Run() == nil }
	if os.WriteFile(image, nil, 0o600) != nil || os.Truncate(image, 32<<20) != nil || exec.Command("mkfs.ext4", "-q", "-F", image).Run() != nil || !mount() {
		t.Skip("file systems cannot be made and mounted here")
	}
	t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
	root := filepath.Join(at, "blobs")
	s, err := blob.OpenFolder(root)
	must(t, err)
	body := bytes.Repeat([]byte("document "), 1000)
	staged, err := s.Stage(t.Context(), bytes.NewReader(body), 1<<20)
	must(t, err)
	path := filepath.Join(root, staged.SHA256[:2], staged.SHA256)
	must(t, os.WriteFile(path, body, 0o600)) // as a killed process leaves it
	must(t, s.Commit(t.Context(), staged))

	f, err := os.Open(at)
	must(t, err)
	flags := uint32(2) // nothing of the log is written any more
	_, _, code := unix.Syscall(unix.SYS_IOCTL, f.Fd(), 0x8004587d, uintptr(unsafe.Pointer(&flags)))
	_ = f.Close()
	if code != 0 {
		t.Skipf("the power of this file system cannot be cut: %v", code)
	}
	must(t, unix.Unmount(at, 0))
	if !mount() {
		t.Fatal("it cannot be mounted again")
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, body) {
		t.Errorf("the document is lost: %d bytes, %v", len(got), err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
