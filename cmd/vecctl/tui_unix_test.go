//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// capturesEnv names a folder in which the captures of the screen are kept.
const capturesEnv = "VECCTL_TUI_CAPTURES"

// screenPatience is for machines with much else to do; nothing waits that long by
// itself.
const screenPatience = 2 * time.Minute

// screen is the terminal screen in a real terminal.
type screen struct {
	*site
	socket string
	kept   int
}

// screen opens the screen in tmux.
func (s *site) screen(width, height int, env []string, args ...string) *screen {
	s.t.Helper()
	return s.terminal(width, height, env, append([]string{"tui"}, args...)...)
}

// terminal runs the program in tmux; a shell shows what it leaves behind.
func (s *site) terminal(width, height int, env []string, args ...string) *screen {
	s.t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		s.t.Skip("tmux is missing; scripts/test installs it")
	}
	dir, err := os.MkdirTemp("", "tmux") // a socket's path must be short
	must(s.t, err)
	sc := &screen{site: s, socket: filepath.Join(dir, "s")}
	s.t.Cleanup(func() {
		_ = sc.tmux("kill-server").Run()
		_ = os.RemoveAll(dir)
	})
	program, err := exec.LookPath("vecctl")
	must(s.t, err)
	line := fmt.Sprintf("trap : INT; stty -g >before; sh -c 'echo $$ >pid; exec %q %s'; echo END $?; stty -g >after; echo LEFT; cat",
		program, strings.Join(args, " "))
	command := append([]string{"-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "-c", s.dir,
		"env", "TMPDIR=" + s.dir, "LC_ALL=C.UTF-8"}, append(s.env, env...)...)
	sc.want(append(command, "sh", "-c", line)...)
	return sc
}

func (s *screen) tmux(args ...string) *exec.Cmd {
	return exec.Command("tmux", append([]string{"-u", "-S", s.socket}, args...)...)
}

func (s *screen) want(args ...string) string {
	s.t.Helper()
	out, err := s.tmux(args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

func (s *screen) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.want("send-keys", k)
	}
}

// sees waits until all words are on the screen at once, and keeps a capture of it.
func (s *screen) sees(what string, words ...string) string {
	s.t.Helper()
	return s.waits(what, words, nil)
}

// silent waits until the terminal does not show what is typed.
func (s *screen) silent() {
	s.t.Helper()
	path := strings.TrimSpace(s.want("display-message", "-p", "#{pane_tty}"))
	until(s.t, screenPatience, "silence", func() bool {
		terminal, err := os.Open(path)
		must(s.t, err)
		defer terminal.Close()
		ask := exec.Command("stty", "-a")
		ask.Stdin = terminal
		settings, err := ask.Output()
		must(s.t, err)
		return strings.Contains(string(settings), "-echo ")
	})
}

// waits is sees that also wants some words gone.
func (s *screen) waits(what string, words, gone []string) string {
	s.t.Helper()
	for deadline := time.Now().Add(screenPatience); ; time.Sleep(50 * time.Millisecond) {
		view := s.want("capture-pane", "-p")
		there := true
		for _, w := range words {
			there = there && strings.Contains(view, w)
		}
		for _, w := range gone {
			there = there && !strings.Contains(view, w)
		}
		if there {
			s.keep(what)
			return view
		}
		if time.Now().After(deadline) {
			s.keep(what + "-missing")
			s.t.Fatalf("%s: %q is not all on the screen, or %q is:\n%s", what, words, gone, view)
		}
	}
}

// keep keeps a capture with its colours where the run asks for it.
func (s *screen) keep(what string) {
	s.t.Helper()
	folder := os.Getenv(capturesEnv)
	if folder == "" {
		return
	}
	s.kept++
	must(s.t, os.MkdirAll(folder, 0o755))
	name := fmt.Sprintf("%s-%02d-%s.txt", s.t.Name(), s.kept, what)
	must(s.t, os.WriteFile(filepath.Join(folder, name), []byte(s.want("capture-pane", "-p", "-e")), 0o644))
}

// leaves wants the terminal as it was before the screen was opened.
func (s *screen) leaves(code string) {
	s.t.Helper()
	s.sees("left", "END "+code, "LEFT")
	if got := strings.TrimSpace(s.want("display-message", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}")); got != "0 1 0" {
		s.t.Errorf("second screen, cursor, mouse: %s, want 0 1 0", got)
	}
	before, err := os.ReadFile(filepath.Join(s.dir, "before"))
	must(s.t, err)
	after, err := os.ReadFile(filepath.Join(s.dir, "after"))
	must(s.t, err)
	if string(before) != string(after) {
		s.t.Errorf("the terminal's settings are %s, were %s", after, before)
	}
}

// kill ends an agent without any warning.
func (d *daemon) kill() {
	d.t.Helper()
	must(d.t, d.cmd.Process.Signal(syscall.SIGKILL))
	_ = d.cmd.Wait()
}

// client calls the agent's staff door.
func (d *daemon) client() *adminclient.Client {
	d.t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(d.home, "agent.sock"))
	}
	c, err := adminclient.New("http://vecctl.local", &http.Transport{DialContext: dial})
	must(d.t, err)
	return c
}

// restricted is a document whose author forbids changes.
func (s *site) restricted() string {
	s.t.Helper()
	open := s.file("open.pdf", smallPDF("restricted", 0))
	path := filepath.Join(s.docs, "restricted.pdf")
	out, err := exec.Command("qpdf", "--encrypt", "", "owner", "256", "--modify=none", "--", open, path).CombinedOutput()
	if err != nil {
		s.t.Fatalf("qpdf: %v: %s", err, out)
	}
	return path
}

// submit hands a batch in over the API, which does not look into the documents
// before; the first bad ones of them cannot be stamped.
func (d *daemon) submit(rows, bad int) {
	d.t.Helper()
	c, restricted := d.client(), d.restricted()
	entries := make([]client.BulkEntry, rows)
	work, ctx := errgroup.WithContext(d.t.Context())
	work.SetLimit(8)
	for i := range entries {
		work.Go(func() error {
			path := restricted
			if i >= bad {
				path = d.file(fmt.Sprintf("s%04d.pdf", i), smallPDF(fmt.Sprintf("Person %d", i), 0))
			}
			document, err := client.FileDocument(path)
			if err != nil {
				return err
			}
			up, err := c.UploadFile(ctx, document, "", nil)
			entries[i] = client.BulkEntry{Content: client.Content{Title: "Diploma", Name: fmt.Sprintf("Person %d", i), Email: fmt.Sprintf("p%d@example.org", i), IssueDate: "2026-05-02"},
				FileID: up.FileID}
			return err
		})
	}
	must(d.t, work.Wait())
	_, err := c.SubmitBulk(d.t.Context(), entries, "")
	must(d.t, err)
}

// The day of a graduation: a batch of which some rows fail is watched, the agent
// dies and comes back, and what failed is retried from the screen.
func TestTheScreenThroughADay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	sc := s.screen(110, 30, nil)
	sc.sees("empty", "live", "There are no batches yet.")
	d.submit(1000, 30)
	sc.sees("done", "1,000/1,000", "970 approved", "30 failed")
	sc.press("2")
	sc.sees("batch", "970 approved  0 processing  30 failed", "1 of 1,000", "Person 999")
	sc.press("4")
	sc.sees("failures", "not_permitted", "30", "What to do: ")
	d.kill()
	sc.sees("lost", "Connection lost.", "lost", "not_permitted")
	// The institution decides to stamp such documents after all.
	s.env = append(s.env, "VECCTL_SIGNING_RESTRICTED=true")
	d = s.daemon()
	sc.waits("connected", []string{"live", "not_permitted"}, []string{"Connection lost"})
	sc.press("r")
	sc.sees("question", "Retry 30 certificates that failed for not_permitted?")
	sc.press("y")
	sc.sees("retried", "30 certificates are processed again.")
	sc.waits("none", []string{"1,000 approved", "No certificate has failed."}, nil)
	sc.press("8")
	sc.sees("log", "Latest first, 2,000 lines", "approved")
	sc.press("/")
	sc.sees("filter", "Filter:")
	sc.press("connect", "Enter")
	sc.sees("filtered", "2 lines", "lost", "live", "The connection to the agent")
	sc.press("3", "/")
	sc.sees("search", "Search:")
	sc.press("Person 7", "Enter")
	sc.sees("found", "Search: Person 7", "of 111")
	sc.press("G")
	sc.sees("last", "111 of 111", "Person 7  ")
	sc.press("Enter")
	sc.sees("story", "[3 Certificates: Certificate]", "Person 7", "attempt 1", "failed", "retry", "attempt 2", "approved")
	sc.press("9")
	sc.sees("health", "Results of the doctor", "permissions", "the agent runs")
	sc.press("q")
	sc.leaves("0")
	d.end()
}

// Any terminal: small, smaller, without colours, and none at all.
func TestTheScreenOnAnyTerminal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	s.bulk(0, s.batch(3))
	colour := regexp.MustCompile(`\x1b\[([0-9;]*;)?(3[0-8]|4[0-8]|9[0-7])[;m]`)
	escape := regexp.MustCompile(`\x1b\[`)
	for _, test := range []struct {
		name      string
		env       []string
		forbidden *regexp.Regexp
		coloured  bool
	}{
		{"colour", []string{"TERM=screen-256color"}, nil, true},
		{"no-color", []string{"TERM=screen-256color", "NO_COLOR=1"}, colour, false},
		{"dumb", []string{"TERM=dumb"}, escape, false},
	} {
		sc := s.screen(80, 24, test.env)
		sc.press("3")
		sc.sees(test.name, "> ", "Person 3", "approved", "1 of 3")
		drawn := sc.want("capture-pane", "-p", "-e")
		if test.forbidden != nil && test.forbidden.MatchString(drawn) {
			t.Errorf("%s: there is %q on the screen", test.name, test.forbidden.FindString(drawn))
		}
		if test.coloured != colour.MatchString(drawn) {
			t.Errorf("%s: there is colour: %v", test.name, !test.coloured)
		}
		sc.want("resize-window", "-x", "60", "-y", "15")
		sc.waits(test.name+"-narrow", []string{"Person 3", "[3 Certificates]"}, []string{"ISSUED"})
		sc.want("resize-window", "-x", "40", "-y", "10")
		sc.sees(test.name+"-small", "This terminal has 40 columns")
		sc.want("resize-window", "-x", "100", "-y", "30")
		sc.sees(test.name+"-again", "Person 3", "ISSUED")
		sc.press("C-c")
		sc.leaves("0")
	}
	// Without a terminal it tells what happens in lines, as watch does.
	cmd := s.command("tui")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if want := "watching My Institution: 3 approved, 0 processing, 0 failed\n"; err != nil || line != want {
		t.Errorf("without a terminal it says %q, %v, want %q", line, err, want)
	}
	must(t, cmd.Process.Signal(syscall.SIGINT))
	if err := cmd.Wait(); err != nil {
		t.Errorf("without a terminal it ends with %v", err)
	}
	d.end()
}

// A vault elsewhere is looked at over its API; a wrong token is said at once.
func TestTheScreenOfAVaultElsewhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	s.bulk(0, s.batch(3))
	token := strings.TrimSpace(s.done("token", "create", "screen", "--permission", "certificate-vault:list", "--permission", "certificate-vault:view").stdout)
	sc := s.screen(80, 24, []string{"VECCTL_TOKEN=" + token}, "--api", d.public, "--read-only")
	sc.sees("remote", d.public, "polling", "read-only", "3/3")
	sc.press("3", "Enter")
	sc.sees("story", "Person 3", "approved")
	s.batch(4)
	s.bulk(0, filepath.Join(s.docs, "batch.csv"))
	sc.press("1")
	sc.sees("news", "1/")
	sc.press("q")
	sc.leaves("0")
	denied := s.screen(80, 24, []string{"VECCTL_TOKEN=wrong"}, "--api", d.public)
	denied.sees("denied", "END 4", "Unauthorized")
	d.end()
}

// A screen that is told to end leaves the terminal in order; so does the agent within.
func TestTheScreenIsEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sc := s.screen(80, 24, nil)
	sc.sees("open", "live", "There are no batches yet.") // the agent runs within
	raw, err := os.ReadFile(filepath.Join(s.dir, "pid"))
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	must(t, err)
	must(t, syscall.Kill(pid, syscall.SIGTERM))
	sc.leaves("0")
	s.done("status")
}
