//go:build unix

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// What root writes into somebody else's home, that user's agent could not open.
func TestRootLeavesTheHomesOfOthersAlone(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can try")
	}
	t.Parallel()
	s := newSite(t)
	manifest := s.batch(1)
	s.done("init", "--no-input")
	must(t, filepath.WalkDir(s.home, func(path string, _ fs.DirEntry, err error) error {
		must(t, err)
		return os.Lchown(path, 4711, -1)
	}))
	for _, args := range [][]string{{"bulk", manifest}, {"list"}, {"agent", "--listen", "none"}} {
		s.want(2, args...).says(t, s.home, "belongs to the user 4711", "sudo -u 4711 vecctl", "chown -R root")
	}
	must(t, filepath.WalkDir(s.home, func(path string, _ fs.DirEntry, err error) error {
		must(t, err)
		if owner := ownerOf(path); owner != "4711" {
			t.Errorf("%s belongs to %q", path, owner)
		}
		return nil
	}))
	// A running agent of that user does what root wants; here the home is given to root.
	must(t, os.Lchown(s.home, 0, -1))
	s.done("list")
}
