package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
)

// oldHome is a home as an earlier version left it, and what is in it.
func oldHome(t *testing.T) (s *site, folder string, want []client.Certificate) {
	t.Helper()
	s = newSite(t)
	folder = filepath.Join(s.dir, "old")
	backup, err := filepath.Abs(filepath.Join("..", "..", "testdata", "homes", "schema-2.tar.zst"))
	must(t, err)
	s.done("restore", backup, "--home", folder)
	// Restoring upgrades, and keeps the file as it was.
	must(t, os.Rename(filepath.Join(folder, "vault.db.schema-2"), filepath.Join(folder, "vault.db")))
	must(t, os.CopyFS(s.home, os.DirFS(folder)))
	if want = s.all(); len(want) != 2 {
		t.Fatalf("%d certificates in the old home", len(want))
	}
	return s, folder, want
}

// TestUpgradeKilledAtEachStep kills the program as it enters each system call that
// touches the database or the copy that is kept of it. Whatever the step, the next
// run finds all certificates, the file as it was before lies beside, and that is the
// last of it.
func TestUpgradeKilledAtEachStep(t *testing.T) {
	t.Parallel()
	s, old, want := oldHome(t)
	if out, err := exec.Command("strace", "-f", "true").CombinedOutput(); err != nil {
		t.Skipf("strace is missing (scripts/test installs it), or may not trace here: %v: %s", err, out)
	}
	most := 4
	if long() {
		most = 200
	}
	for _, step := range []struct{ call, file string }{
		{"openat", "vault.db"},
		{"openat", "vault.db.schema-2.part"}, {"write", "vault.db.schema-2.part"}, {"fsync", "vault.db.schema-2.part"},
		{"renameat", "vault.db.schema-2.part"}, {"fsync", ""},
		{"pwrite64", "vault.db"}, {"fdatasync", "vault.db"},
	} {
		n := 0
		for ; n < most; n++ {
			must(t, os.RemoveAll(s.home))
			must(t, os.CopyFS(s.home, os.DirFS(old)))
			if !s.killedIn(step.call, filepath.Join(s.home, step.file), n+1) {
				break
			}
			s.wantUpgradedOnce(want, fmt.Sprintf("killed in %s %d, of %q", step.call, n+1, step.file))
		}
		if n == 0 {
			t.Errorf("nothing was killed in %s of %q", step.call, step.file)
		}
		t.Logf("%d times killed in %s of %q", n, step.call, step.file)
	}
}

// killedIn runs a command that upgrades the home, and kills it as a thread enters a
// call about a file for the nth time; false when none did.
func (s *site) killedIn(call, file string, n int) bool {
	s.t.Helper()
	strace, err := exec.LookPath("strace")
	must(s.t, err)
	cmd := s.command("list", "--json")
	cmd.Args = append([]string{"strace", "-f", "-o", filepath.Join(s.dir, "trace"), "-P", file, "-e", "signal=none", "-e", "trace=" + call,
		"-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n), cmd.Path}, cmd.Args[1:]...)
	cmd.Path = strace
	cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
	r := s.finish(cmd, nil)
	if r.code != 0 && r.code != -1 {
		s.t.Fatalf("a run failed, and not by a kill: %v", r)
	}
	return r.code == -1
}

// wantUpgradedOnce wants all certificates in the home, the file as it was before the
// upgrade beside, and no other upgrade after.
func (s *site) wantUpgradedOnce(want []client.Certificate, when string) {
	t := s.t
	t.Helper()
	same := func(got []client.Certificate, what string) {
		t.Helper()
		a, err := json.Marshal(got)
		must(t, err)
		b, err := json.Marshal(want)
		must(t, err)
		if !slices.Equal(a, b) {
			t.Fatalf("%s: %s has\n%s\nwant\n%s", when, what, a, b)
		}
	}
	same(s.all(), "the home")
	kept, database := filepath.Join(s.home, "vault.db.schema-2"), filepath.Join(s.home, "vault.db")
	before, err := os.ReadFile(kept)
	if err != nil {
		t.Fatalf("%s: the file as it was is not kept: %v", when, err)
	}
	if left, err := filepath.Glob(filepath.Join(s.home, "*.part")); err != nil || len(left) > 0 {
		t.Errorf("%s: left behind: %v, %v", when, left, err)
	}
	must(t, os.Remove(kept))
	same(s.all(), "the home, opened again,")
	if _, err := os.Stat(kept); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s: it was upgraded again", when)
	}
	// An operator who goes back finds all, and is upgraded again.
	must(t, os.WriteFile(database, before, 0o600))
	same(s.all(), "the file as it was")
	if _, err := os.Stat(kept); err != nil {
		t.Errorf("%s: what was kept is of today's schema: %v", when, err)
	}
}

// Without room for the file as it was, nothing is upgraded; with room, it is.
func TestUpgradeOnAFullDisk(t *testing.T) {
	t.Parallel()
	s, old, want := oldHome(t)
	s.home = filepath.Join(disk(t, "size=2m"), "home")
	s.env = append(s.env, "VECCTL_HOME="+s.home)
	must(t, os.CopyFS(s.home, os.DirFS(old)))
	filler := filepath.Join(s.home, "..", "filler")
	fillUp(t, filler)
	info, err := os.Stat(filler)
	must(t, err)
	must(t, os.Truncate(filler, info.Size()-16<<10))
	for range 2 {
		s.want(1, "list").says(t, "keeping the database as it was before the upgrade", "the disk is full; make room")
	}
	must(t, os.Remove(filler))
	s.wantUpgradedOnce(want, "after a full disk")
}
