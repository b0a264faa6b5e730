package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKilledWhileDeciding kills the program without warning while applications are
// submitted and approved. A repeated attempt succeeds, and nothing is there by halves or
// twice.
func TestKilledWhileDeciding(t *testing.T) {
	t.Parallel()
	people, most := 3, 3 // kills of one act
	if long() {
		people, most = 40, 10
	}
	random := rand.New(rand.NewPCG(11, 0))
	s := newSite(t)
	s.done("init", "--no-input", "--sender", "office@vec.example.edu")
	begun := time.Now()
	s.done("application", "list")
	took := 2 * time.Since(begun)
	scan := filepath.Join(t.TempDir(), "scan.pdf")
	// until runs a command, killed a few times, until it has ended by itself.
	until := func(had string, args ...string) {
		t.Helper()
		for n := 0; ; n++ {
			cmd := s.command(args...)
			started := s.start(cmd)
			if n < most {
				killer := time.AfterFunc(time.Duration(random.Int64N(int64(took))), func() { _ = cmd.Process.Kill() })
				defer killer.Stop()
			}
			r := s.finish(cmd, started)
			switch {
			case r.code == 0, r.code == 1 && strings.Contains(r.stderr, had):
				return
			case r.code != -1:
				t.Fatalf("between kills: %v", r)
			}
		}
	}
	for n := range people {
		email := fmt.Sprintf("p%d@example.org", n)
		must(t, os.WriteFile(scan, smallPDF(fmt.Sprintf("evidence of %d", n), 0), 0o600))
		until("is already open", "application", "submit", "--title", "Diploma", "--name", "Ada", "--email", email, "--evidence", scan)
		listed := strings.Split(strings.TrimSpace(s.done("application", "list", "--email", email, "-o", "csv").stdout), "\n")
		if len(listed) != 2 {
			t.Fatalf("%s has these applications: %q", email, listed)
		}
		name, _, _ := strings.Cut(listed[1], ",")
		until("was approved already", "application", "approve", name, "--evidence")
		shown := s.done("application", "evidence", name, "--out", "-").stdout
		if !strings.HasPrefix(shown, "%PDF") {
			t.Errorf("the evidence of %s is %.20q", email, shown)
		}
	}
	// What a killed one had accepted, an agent processes.
	s.serving()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if strings.Count(s.done("application", "list", "--status", "approved", "-o", "csv").stdout, "@") == people &&
			strings.Count(s.done("mail", "list", "--state", "sent", "-o", "csv").stdout, "@") == 2*people {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("after the kills: %s", s.done("application", "list", "--status", "all", "-o", "csv").stdout)
		}
	}
	if all := s.done("application", "list", "--status", "all", "-o", "csv").stdout; strings.Count(all, "@") != people {
		t.Errorf("%d people have these applications: %s", people, all)
	}
	for _, mail := range []string{"received", "issued"} {
		if got := strings.Count(s.done("mail", "list", "-o", "csv").stdout, ","+mail+","); got != people {
			t.Errorf("%d mails are %s, want %d", got, mail, people)
		}
	}
	stored := 0
	must(t, filepath.WalkDir(filepath.Join(s.home, "blobs"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && len(d.Name()) == 64 {
			stored++
		}
		return err
	}))
	if stored != people {
		t.Errorf("%d documents are stored, want %d", stored, people)
	}
}
