package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheAgentStopsWhenNothingCanBeFlushed makes a flush fail, of the database or of documents.
// The agent names the file and the disk and ends; the next one finds out what was done, and does
// the rest.
func TestTheAgentStopsWhenNothingCanBeFlushed(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("strace", "-f", "true").CombinedOutput(); err != nil {
		t.Skipf("strace is missing (scripts/test installs it), or may not trace here: %v: %s", err, out)
	}
	for _, test := range []struct {
		call, file string
		from       int // what it does while it starts succeeds
		says       string
	}{
		{"fdatasync", "vault.db", 4, "vault.db"},
		{"pwrite64", "vault.db", 4, "vault.db"},
		{"syncfs", "", 1, "blobs"},
	} {
		t.Run(test.call+" "+test.file, func(t *testing.T) {
			t.Parallel()
			const rows = 40
			s := newSite(t)
			manifest := s.batch(rows)
			s.done("status")
			s.wantStopped(test.call, test.file, test.from, func() {
				if r := s.run("bulk", manifest, "--out", s.out); r.code == 0 {
					t.Errorf("a batch was done although nothing can be flushed: %v", r)
				}
			}, test.says, "input/output error", "start it again")
			wantWhole(s, s.bulk(0, manifest), rows)
		})
	}
}

// wantStopped runs an agent of which a call about a file of the home fails soon, uses it, and
// wants it to end with exit code 1 and some words.
func (s *site) wantStopped(call, file string, from int, use func(), words ...string) {
	t := s.t
	t.Helper()
	strace, err := exec.LookPath("strace")
	must(t, err)
	args := []string{"strace", "-f", "-qqq", "-o", filepath.Join(s.dir, "trace"), "-e", "signal=none", "-e", "trace=" + call,
		"-e", fmt.Sprintf("inject=%s:error=EIO:when=%d+", call, from)}
	if file != "" {
		args = append(args, "-P", filepath.Join(s.home, file))
	}
	cmd := s.command("agent", "--listen", "127.0.0.1:0")
	cmd.Args, cmd.Path = append(append(args, cmd.Path), cmd.Args[1:]...), strace
	cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1") // calls are counted by thread
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}                  // strace and agent end together
	d := s.readyAs(cmd)
	use()
	ended := make(chan error, 1)
	go func() { ended <- d.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(patiently(10 * time.Second)):
		must(t, syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL))
		<-ended
		t.Fatalf("the agent goes on: %s", d.stderr)
	}
	r := result{code: d.cmd.ProcessState.ExitCode(), stderr: d.stderr.String()}
	if r.code != 1 || strings.Contains(r.stderr, "goroutine ") {
		t.Errorf("want exit code 1 and no trace, got %v", r)
	}
	r.says(t, words...)
}
