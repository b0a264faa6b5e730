package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vecctl/vecctl/pkg/client"
)

// TestMain makes the test binary serve as vecctl too, so that tests and scripts
// run the real program as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vecctl": main})
}

// raceEnv keeps the race detector from waiting a second at the end of each
// process.
const raceEnv = "GORACE=atexit_sleep_ms=0"

// long reports whether the tests may take minutes.
func long() bool { return os.Getenv("VECCTL_LONG") != "" }

// patiently is a limit as it is wanted of a test that has the machine to itself. Of
// the others it only tells what is slow from what hangs.
func patiently(limit time.Duration) time.Duration {
	if os.Getenv("VECCTL_ALONE") != "" {
		return limit
	}
	return 20 * limit
}

// site is a home with a folder of documents and one for verified PDFs.
type site struct {
	t    testing.TB
	dir  string
	home string
	docs string
	out  string
	env  []string
}

func newSite(t testing.TB) *site {
	return siteAt(t, scratch(t))
}

func siteAt(t testing.TB, dir string) *site {
	s := &site{t: t, dir: dir, home: filepath.Join(dir, "home"), docs: filepath.Join(dir, "docs"), out: filepath.Join(dir, "out")}
	must(t, os.MkdirAll(s.docs, 0o755))
	s.env = []string{raceEnv, "VECCTL_HOME=" + s.home, "HOME=" + dir, "TZ=Europe/Warsaw", "VECCTL_BASE_URL=https://vec.example.edu"}
	return s
}

// command prepares a run of the program.
func (s *site) command(args ...string) *exec.Cmd {
	s.t.Helper()
	path, err := exec.LookPath("vecctl")
	must(s.t, err)
	cmd := exec.Command(path, args...)
	cmd.Dir = s.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + s.dir}, s.env...)
	return cmd
}

// result is what a run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

func (r result) String() string {
	return fmt.Sprintf("exit code %d\nstdout: %s\nstderr: %s", r.code, r.stdout, r.stderr)
}

// run runs the program to its end. Whatever happens, it must not panic.
func (s *site) run(args ...string) result {
	s.t.Helper()
	return s.finish(s.command(args...), nil)
}

// finish waits for a command; started says that it runs already.
func (s *site) finish(cmd *exec.Cmd, started *capture) result {
	s.t.Helper()
	if started == nil {
		started = s.start(cmd)
	}
	err := cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		s.t.Fatal(err)
	}
	r := result{cmd.ProcessState.ExitCode(), started.out.String(), started.err.String()}
	for _, trace := range []string{"goroutine ", "panic:", "SIGSEGV", "SIGBUS", "DATA RACE"} {
		if strings.Contains(r.stderr, trace) {
			s.t.Fatalf("the program broke: %v", r)
		}
	}
	return r
}

// capture is what a run has said so far.
type capture struct{ out, err spoken }

func (s *site) start(cmd *exec.Cmd) *capture {
	s.t.Helper()
	var c capture
	cmd.Stdout, cmd.Stderr = &c.out, &c.err
	must(s.t, cmd.Start())
	return &c
}

// done runs the program and wants exit code 0.
func (s *site) done(args ...string) result {
	s.t.Helper()
	return s.want(0, args...)
}

// want runs the program and wants an exit code and all of some words.
func (s *site) want(code int, args ...string) result {
	s.t.Helper()
	r := s.run(args...)
	if r.code != code {
		s.t.Fatalf("vecctl %s: want exit code %d, got %v", strings.Join(args, " "), code, r)
	}
	return r
}

// says wants words in what the program told people.
func (r result) says(t testing.TB, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(r.stdout+r.stderr, w) {
			t.Errorf("want %q said, got %v", w, r)
		}
	}
}

// all lists the home's certificates.
func (s *site) all() []client.Certificate {
	s.t.Helper()
	var found []client.Certificate
	must(s.t, json.Unmarshal([]byte(s.done("list", "-o", "json").stdout), &found))
	return found
}

// bulk runs a manifest and returns the report.
func (s *site) bulk(code int, args ...string) client.BulkReport {
	s.t.Helper()
	r := s.want(code, append([]string{"bulk", "-o", "json", "--out", s.out}, args...)...)
	var report client.BulkReport
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		s.t.Fatalf("%v: %v", err, r)
	}
	return report
}

// batch writes n small documents and their manifest, and returns its path.
func (s *site) batch(n int) string {
	s.t.Helper()
	for i := 1; i <= n; i++ {
		s.file(fmt.Sprintf("f%05d.pdf", i), smallPDF(fmt.Sprintf("Person %d", i), 0))
	}
	return s.manifest("batch.csv", n)
}

// manifest writes the first n rows of a batch.
func (s *site) manifest(name string, n int) string {
	s.t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"certificate_title", "full_name", "applicant_email", "issue_date", "details", "file"}}
	for i := 1; i <= n; i++ {
		rows = append(rows, []string{"Diploma", fmt.Sprintf("Person %d", i), fmt.Sprintf("p%d@example.org", i),
			"2026-05-02", "", fmt.Sprintf("f%05d.pdf", i)})
	}
	must(s.t, w.WriteAll(rows))
	return s.file(name, b.Bytes())
}

// file writes one file into the documents' folder.
func (s *site) file(name string, body []byte) string {
	s.t.Helper()
	path := filepath.Join(s.docs, name)
	must(s.t, os.WriteFile(path, body, 0o644))
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// glob counts what in a folder has a name of a form.
func glob(t *testing.T, dir, pattern string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	must(t, err)
	return len(found)
}
