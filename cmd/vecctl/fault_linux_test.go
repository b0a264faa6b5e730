package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// disk mounts a small file system of its own for the test.
func disk(t *testing.T, options string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	must(t, os.Mkdir(dir, 0o755))
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("file systems cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
	return dir
}

func remount(t *testing.T, dir string, flags uintptr, options string) {
	t.Helper()
	must(t, unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT|flags, options))
}

// TestFullDisk runs into the end of the disk at different points. Nothing may be
// half done, and with room the same command completes.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	const rows = 100
	for _, test := range []struct {
		what string
		kb   int
	}{
		{"home", 16}, {"home", 100}, {"home", 250}, {"home", 500}, {"home", 650}, {"home", 800}, {"home", 1000},
		{"out", 8}, {"out", 200}, {"out", 500},
	} {
		t.Run(fmt.Sprintf("%s of %d kB", test.what, test.kb), func(t *testing.T) {
			t.Parallel()
			small := disk(t, fmt.Sprintf("size=%dk", test.kb))
			s := newSite(t)
			manifest := s.batch(rows)
			if test.what == "home" {
				s.home = filepath.Join(small, "home")
				s.env = append(s.env, "VECCTL_HOME="+s.home)
			} else {
				s.out = filepath.Join(small, "out")
			}
			for range 2 { // a re-run without room changes nothing
				r := s.want(1, "bulk", manifest, "--out", s.out)
				r.says(t, "the disk is full; make room, then run the same command again")
				if strings.Contains(r.stdout, "issued") || strings.Contains(r.stderr, "internal error") {
					t.Errorf("got %v", r)
				}
			}
			if left, err := filepath.Glob(filepath.Join(s.out, ".*")); err != nil || len(left) > 0 {
				t.Errorf("left in the folder of the outcome: %v, %v", left, err)
			}
			remount(t, small, 0, "size=64m")
			wantWhole(s, s.bulk(0, manifest), rows)
		})
	}
}

func TestReadOnlyHome(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	manifest := s.batch(3)
	at := disk(t, "size=16m")
	s.home = filepath.Join(at, "home")
	s.env = append(s.env, "VECCTL_HOME="+s.home)
	s.bulk(0, manifest)
	remount(t, at, unix.MS_RDONLY, "")
	s.want(1, "bulk", manifest, "--out", s.out).says(t, s.home, "writable", "--home")
	s.want(1, "status", "--home", filepath.Join(at, "another")).says(t, "read-only", "--home")
	remount(t, at, 0, "size=16m")
	wantWhole(s, s.bulk(0, manifest), 3)
}

// Root, who may open any home, opens none of somebody else: what it wrote there would
// lock the owner out. An agent that runs there answers it.
func TestRootAndTheHomeOfAnother(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("this is not root")
	}
	s := newSite(t)
	s.bulk(0, s.batch(3))
	d := s.daemon()
	const nobody = 65534
	give := func() {
		must(t, filepath.WalkDir(s.home, func(path string, _ os.DirEntry, err error) error {
			must(t, err)
			return os.Chown(path, nobody, nobody)
		}))
	}
	give()
	s.done("list")
	for _, args := range [][]string{{"template", "new", "diploma", "--from", "degree"}, {"init", "--no-input", "--sample"}} {
		s.want(2, args...).says(t, "belongs to the user nobody")
	}
	d.end()
	give()
	manifest, whole := filepath.Join(s.docs, "batch.csv"), filepath.Join(s.dir, "b.tar.zst")
	for _, args := range [][]string{
		{"list"}, {"bulk", manifest}, {"agent", "--listen", "none"}, {"compact"}, {"init", "--no-input"}, {"key", "rotate"}, {"backup", whole}, {"restore", manifest},
	} {
		s.want(2, args...).says(t, "belongs to the user nobody", "sudo -u nobody vecctl ... --home "+s.home)
	}
	s.want(1, "doctor").says(t, "belongs to the user nobody")
	must(t, filepath.WalkDir(s.home, func(path string, _ os.DirEntry, err error) error {
		must(t, err)
		if owner := ownerOf(path); owner != "nobody" {
			t.Errorf("%s belongs to %q", path, owner)
		}
		return nil
	}))
}
