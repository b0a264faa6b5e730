package fsutil

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// xfs mounts a file system whose files can share blocks.
func xfs(t *testing.T) string {
	t.Helper()
	image, at := filepath.Join(t.TempDir(), "image"), t.TempDir()
	if os.Geteuid() != 0 {
		t.Skip("file systems can be mounted by root only")
	}
	if os.WriteFile(image, nil, 0o600) != nil || os.Truncate(image, 320<<20) != nil ||
		exec.Command("mkfs.xfs", "-q", "-m", "reflink=1", image).Run() != nil || exec.Command("mount", "-o", "loop", image, at).Run() != nil {
		t.Skip("file systems cannot be made and mounted here")
	}
	t.Cleanup(func() { _ = unix.Unmount(at, unix.MNT_DETACH) })
	return at
}

// usedBlocks returns how many bytes of a file system are taken.
func usedBlocks(t *testing.T, at string) int64 {
	t.Helper()
	var fs unix.Statfs_t
	f, err := os.Open(at)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		t.Fatal(err)
	}
	if err := unix.Statfs(at, &fs); err != nil {
		t.Fatal(err)
	}
	return int64(fs.Blocks-fs.Bfree) * fs.Bsize
}

// A copy takes the room of its last blocks alone, and is another file: who changes it, changes
// nothing else.
func TestCopiesThatShareBlocks(t *testing.T) {
	t.Parallel()
	at := xfs(t)
	checkCopies(t, at)
	const size = 4<<20 + 100
	body := bytes.Repeat([]byte("document"), size/8+1)[:size]
	if err := os.WriteFile(filepath.Join(at, "from"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	before := usedBlocks(t, at)
	to := copied(t, at, body)
	if grown := usedBlocks(t, at) - before; grown > 64<<10 {
		t.Errorf("the copy of %d bytes takes %d", size, grown)
	}
	f, err := os.OpenFile(to, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("changed!"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(at, "from")); err != nil || !bytes.Equal(got, body) {
		t.Errorf("a change of the copy changed the file that it was made of: %v", err)
	}
}
