package fsutil

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// copied copies a file of a folder and returns the copy's path.
func copied(t *testing.T, dir string, body []byte) string {
	t.Helper()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := os.WriteFile(from, body, 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	n, err := CopyShared(dst, src, int64(len(body)))
	if err != nil || n != int64(len(body)) {
		t.Fatalf("copied %d bytes of %d: %v", n, len(body), err)
	}
	if _, err := dst.WriteString("more"); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestCopyShared(t *testing.T) {
	t.Parallel()
	checkCopies(t, t.TempDir())
}

// checkCopies copies files of several sizes in a folder and compares them.
func checkCopies(t *testing.T, dir string) {
	t.Helper()
	for _, size := range []int{0, 1, 4095, 4096, 4097, 56000, 57344} {
		body := bytes.Repeat([]byte{'a', byte(size)}, size/2+1)[:size]
		got, err := os.ReadFile(copied(t, dir, body))
		if err != nil || !bytes.Equal(got, append(bytes.Clone(body), "more"...)) {
			t.Errorf("%d bytes: the copy has %d, and others: %v", size, len(got), err)
		}
	}
}
