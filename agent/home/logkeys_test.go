package home

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
)

// A copy of a home is told from the home, wherever it lies. A home that does not say where its keys
// were is taken for the same.
func TestCopiedLogKeysAreFound(t *testing.T) {
	d := Dir(filepath.Join(t.TempDir(), "home"))
	key, err := d.LogKey(rand.Reader, 1, "University")
	if err != nil {
		t.Fatal(err)
	}
	moved := func(d Dir) bool {
		t.Helper()
		is, err := d.LogKeysMoved()
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	if moved(d) {
		t.Error("the home is taken for a copy")
	}
	if _, known := folderNumber(string(d)); !known {
		t.Skip("this system does not number folders")
	}
	copied := Dir(filepath.Join(t.TempDir(), "copied"))
	if err := os.CopyFS(string(copied), os.DirFS(string(d))); err != nil {
		t.Fatal(err)
	}
	if !moved(copied) {
		t.Error("the copy is not found")
	}
	if err := copied.KeepLogKeysHere(); err != nil || moved(copied) {
		t.Errorf("after the decision the copy is still one (%v)", err)
	}
	renamed := Dir(string(d) + "-renamed")
	if err := os.Rename(string(d), string(renamed)); err != nil {
		t.Fatal(err)
	}
	if moved(renamed) {
		t.Error("a home that was renamed is taken for a copy")
	}
	if err := os.Remove(renamed.logPlacePath()); err != nil || moved(renamed) {
		t.Errorf("a home of an earlier version is taken for a copy (%v)", err)
	}
	next, err := renamed.NewLogKey(rand.Reader, 1, "University")
	if err != nil || next.Public() == key.Public() {
		t.Errorf("the new key is the old one (%v)", err)
	}
}
