package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/store/bolt"
)

// A second process is told which one holds the home.
func TestASecondProcessNamesTheFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.done("status")
	release := hold(s)
	s.want(11, "list").says(t, fmt.Sprintf("process %d (a test, since ", os.Getpid()), "--home")
	s.want(11, "bulk", s.batch(1), "--out", s.out)
	if entries, err := os.ReadDir(s.out); err == nil && len(entries) > 0 {
		t.Error("something was issued in a home that another process holds")
	}
	// One that lets go soon is waited for; a machine with much else to do may make it late.
	for tries := 1; ; tries++ {
		released := make(chan struct{})
		time.AfterFunc(200*time.Millisecond, func() {
			release()
			close(released)
		})
		r := s.run("list")
		<-released
		if r.code == 0 {
			return
		}
		if tries == 10 {
			t.Fatalf("it was not waited for: %v", r)
		}
		release = hold(s)
	}
}

// hold takes the home as another process would.
func hold(s *site) (release func()) {
	s.t.Helper()
	dir := home.Dir(s.home)
	db, err := bolt.Open(dir.Database(), time.Second)
	must(s.t, err)
	must(s.t, dir.WriteLockInfo(home.LockInfo{PID: os.Getpid(), Command: "a test", Since: time.Now()}))
	return func() { _ = db.Close() }
}

func TestTwoRunsAtOnce(t *testing.T) {
	t.Parallel()
	const rows = 120
	s := newSite(t)
	manifest := s.batch(rows)
	for range 3 {
		one, two := s.command("bulk", manifest, "--out", s.out), s.command("bulk", manifest, "--out", s.out)
		first, second := s.start(one), s.start(two)
		a, b := s.finish(one, first), s.finish(two, second)
		for _, r := range []result{a, b} {
			if r.code != 0 && r.code != 11 {
				t.Fatal(r)
			}
		}
		if a.code != 0 && b.code != 0 {
			t.Fatalf("neither was done: %v\n%v", a, b)
		}
	}
	wantWhole(s, s.bulk(0, manifest), rows)
}

// TestInterrupted sends signals in the middle of a batch.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		signals []os.Signal
		phase   string // what must be there before the signal is sent
	}{
		{"Ctrl-C while issuing", []os.Signal{os.Interrupt}, "out"},
		{"Ctrl-C twice", []os.Signal{os.Interrupt, os.Interrupt}, "out"},
		{"SIGTERM", []os.Signal{syscall.SIGTERM}, "out"},
		{"Ctrl-C while checking", []os.Signal{os.Interrupt}, filepath.Join("home", "keys", "signing.pem")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for rows := 300; !interrupted(t, rows, test.phase, test.signals); rows *= 2 {
				if rows > 10_000 {
					t.Fatalf("runs of %d rows end before they are interrupted", rows)
				}
			}
		})
	}
}

// interrupted sends signals to a run as soon as a file is there; false when the run had
// ended before, as it may have on a machine with much else to do.
func interrupted(t *testing.T, rows int, phase string, signals []os.Signal) bool {
	t.Helper()
	s := newSite(t)
	manifest := s.batch(rows)
	cmd := s.command("bulk", manifest, "--out", s.out)
	started := s.start(cmd)
	waitFor(t, filepath.Join(s.dir, phase))
	for _, signal := range signals {
		_ = cmd.Process.Signal(signal)
	}
	r := s.finish(cmd, started)
	if r.code == 0 {
		return false
	}
	if r.code != 130 {
		t.Fatalf("want exit code 130, got %v", r)
	}
	if len(signals) == 1 {
		r.says(t, "Stopping", "run the same command again")
	}
	if strings.Contains(r.stderr, "ERROR") {
		t.Errorf("an interruption is no error: %v", r)
	}
	wantWhole(s, s.bulk(0, manifest), rows)
	return true
}

// waitFor polls for a file that another process makes.
func waitFor(t testing.TB, path string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come", path)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestDamagedDatabase flips bits and cuts pieces off. The program may find the
// damage or do its work, if the damage lies where nothing is; it must not break,
// hang, or issue anything a second time.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	manifest := s.batch(40)
	s.bulk(0, manifest)
	path := home.Dir(s.home).Database()
	sound, err := os.ReadFile(path)
	must(t, err)
	random := rand.New(rand.NewPCG(7, 0))
	commands := [][]string{{"list"}, {"status"}, {"list", "--search", "person"}, {"bulk", manifest, "--out", s.out}}
	rounds := 24
	if long() {
		rounds = 400
	}
	for i := range rounds {
		must(t, os.WriteFile(path, damage(random, sound, i), 0o600))
		args := commands[random.IntN(len(commands))]
		cmd := s.command(args...)
		started := s.start(cmd)
		hung := time.AfterFunc(3*time.Minute, func() { _ = cmd.Process.Kill() })
		r := s.finish(cmd, started)
		hung.Stop()
		switch {
		case r.code == 1 && strings.Contains(r.stderr, "restore the home from a backup"):
		case strings.Contains(r.stderr, "made by a newer vecctl"): // a bit of the version
		case r.code == 0 && (args[0] != "bulk" || strings.Contains(r.stdout, "40 unchanged")):
		default:
			t.Fatalf("round %d, vecctl %s: %v", i, strings.Join(args, " "), r)
		}
	}
}

// damage returns the file with random bits flipped, with a page overwritten, or
// cut off. The second page is spared: it is a copy of the first for the case that
// a transaction was not finished, and damaging it is no more than undoing that
// transaction.
func damage(random *rand.Rand, sound []byte, kind int) []byte {
	const page = 4096
	b := append([]byte(nil), sound...)
	at := 2*page + random.IntN(len(b)-2*page)
	switch kind % 3 {
	case 0:
		for range 1 << random.IntN(7) {
			b[2*page+random.IntN(len(b)-2*page)] ^= 1 << random.IntN(8)
		}
	case 1:
		at -= at % page
		for i := range page {
			b[at+i] = byte(random.Uint32())
		}
	case 2:
		b = b[:at]
	}
	return b
}

// A home whose database went missing is not a new home: in one, all that was
// issued would be issued again.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	manifest := s.batch(2)
	s.bulk(0, manifest)
	path := home.Dir(s.home).Database()
	for name, lose := range map[string]func() error{
		"emptied": func() error { return os.Truncate(path, 0) },
		"removed": func() error { return os.Remove(path) },
		"another": func() error { return os.WriteFile(path, []byte("this is no database"), 0o600) },
	} {
		must(t, lose())
		r := s.want(1, "bulk", manifest, "--out", s.out)
		r.says(t, "database", "restore the home from a backup")
		if t.Failed() {
			t.Fatalf("the database was %s", name)
		}
	}
}

// One stored document that is missing keeps its own verified PDF from being
// written, says which it is, and keeps no other.
func TestMissingDocument(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	manifest := s.batch(3)
	s.bulk(0, manifest)
	lost := s.all()[1]
	must(t, os.Remove(filepath.Join(home.Dir(s.home).Blobs(), lost.File.SHA256[:2], lost.File.SHA256)))
	must(t, os.RemoveAll(s.out))
	s.want(3, "bulk", manifest, "--out", s.out).says(t, lost.ReferenceID, "missing", "restore it from a backup")
	for _, c := range s.all() {
		_, err := os.Stat(filepath.Join(s.out, c.Verified.Name))
		if written := err == nil; written == (c.UUID == lost.UUID) {
			t.Errorf("%s was written: %v", c.Verified.Name, written)
		}
	}
	s.want(1, "download", lost.UUID, "--out", filepath.Join(s.dir, "got.pdf")).says(t, "missing")
	if left, err := filepath.Glob(filepath.Join(s.dir, ".tmp-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBrokenSigningKey(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.done("status")
	path := filepath.Join(home.Dir(s.home).Keys(), "signing.pem")
	must(t, os.WriteFile(path, []byte("no key"), 0o600))
	s.done("status").says(t, path, "issuing is paused", "put it back from a backup")
}
