package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A backup onto a full disk leaves nothing there, and the home as it was; so does
// a restore.
func TestBackupsOnAFullDisk(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.bulk(0, s.batch(40))
	small := disk(t, "size=64k")
	const says = "the disk is full; make room, then run the same command again"
	s.want(1, "backup", filepath.Join(small, "b.tar.zst")).says(t, says)
	wantEmpty(t, small)
	path := filepath.Join(s.dir, "b.tar.zst")
	s.done("backup", path, "--verify")
	s.want(1, "restore", path, "--home", filepath.Join(small, "home")).says(t, says)
	wantEmpty(t, small)
	s.want(2, "restore", path, "--home", small).says(t, "where a disk is mounted on it", "--home "+filepath.Join(small, "home"))
	wantEmpty(t, small)
	remount(t, small, 0, "size=64m")
	s.done("restore", path, "--home", filepath.Join(small, "home"))
	if r := s.done("list", "--home", filepath.Join(small, "home")); !strings.Contains(r.stdout, "Person 40") {
		t.Errorf("got %v", r)
	}
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) > 0 {
		t.Errorf("%s was left behind", entries[0].Name())
	}
}

// A home whose disk is full can still be backed up, to another disk.
func TestABackupOfAFullHome(t *testing.T) {
	t.Parallel()
	small := disk(t, "size=48m")
	s := newSite(t)
	s.home = filepath.Join(small, "home")
	s.env = append(s.env, "VECCTL_HOME="+s.home)
	s.bulk(0, s.batch(5))
	d := s.daemon()
	fillUp(t, filepath.Join(small, "fill"))
	path := filepath.Join(s.dir, "b.tar.zst")
	s.done("backup", path, "--verify")
	d.end()
	s.done("restore", path, "--home", filepath.Join(s.dir, "new"))
}

// Killed at any moment, a backup or a restore leaves nothing that could be taken
// for one, and the next try succeeds.
func TestBackupsThatAreKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.bulk(0, s.batch(60))
	d := s.daemon()
	path, target := filepath.Join(s.dir, "b.tar.zst"), filepath.Join(s.dir, "new")
	for range 6 {
		killWhile(s, func() bool { return glob(t, s.dir, ".tmp-*") > 0 }, "backup", path)
		if _, err := os.Stat(path); err == nil {
			s.done("backup", "verify", path) // it had ended
			must(t, os.Remove(path))
		}
	}
	s.done("backup", path)
	if n := glob(t, s.dir, ".tmp-*"); n > 0 {
		t.Errorf("%d half-written backups were left behind", n)
	}
	for range 6 {
		killWhile(s, func() bool { return glob(t, s.dir, ".vecctl-restore-*") > 0 }, "restore", path, "--home", target)
		if _, err := os.Stat(target); err == nil {
			s.done("list", "--home", target)
			must(t, os.RemoveAll(target))
		}
	}
	s.done("restore", path, "--home", target)
	if n := glob(t, s.dir, ".vecctl-restore-*"); n > 0 {
		t.Errorf("%d half-restored homes were left behind", n)
	}
	d.end()
}

// killWhile runs the program and kills it as soon as something is so.
func killWhile(s *site, now func() bool, args ...string) {
	s.t.Helper()
	cmd := s.command(args...)
	started := s.start(cmd)
	ended := make(chan result, 1)
	go func() { ended <- s.finish(cmd, started) }()
	for {
		select {
		case r := <-ended:
			if r.code != 0 && r.code != -1 {
				s.t.Errorf("got %v", r)
			}
			return
		default:
			if now() {
				_ = cmd.Process.Kill()
			}
		}
	}
}

// Backups in a folder have names of their own, so each removes what an earlier one
// left when it was killed, but nothing that another may still be writing to.
func TestBackupsThatAreKilledInAFolder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.bulk(0, s.batch(60))
	d := s.daemon()
	folder := filepath.Join(s.dir, "backups")
	must(t, os.Mkdir(folder, 0o700))
	left := func() bool { return glob(t, folder, ".tmp-*") > 0 }
	for !left() {
		killWhile(s, left, "backup", folder)
	}
	s.done("backup", folder)
	if !left() {
		t.Error("what somebody may be writing to was removed")
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	half, err := filepath.Glob(filepath.Join(folder, ".tmp-*"))
	must(t, err)
	for _, path := range half {
		must(t, os.Chtimes(path, yesterday, yesterday))
	}
	s.done("backup", folder)
	if left() {
		t.Error("a half-written backup of yesterday was left behind")
	}
	d.end()
}

// While an agent works, its backups are complete; the command only writes them.
func TestTheAgentTakesTheBackup(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	for i := range 3 {
		s.bulk(0, s.batch(20*(i+1)))
		path := filepath.Join(s.dir, fmt.Sprintf("b%d", i))
		s.done("backup", path)
		s.done("backup", "verify", path)
	}
	s.done("restore", filepath.Join(s.dir, "b1"), "--home", filepath.Join(s.dir, "new"))
	if r := s.done("list", "-o", "csv", "--home", filepath.Join(s.dir, "new")); strings.Count(r.stdout, "\n") != 41 {
		t.Errorf("40 certificates came back as %v", r)
	}
	s.want(11, "compact").says(t, "an agent runs on the home", "stop it, run this command again")
	d.end()
}
