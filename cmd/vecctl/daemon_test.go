package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/health"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// daemon is an agent that runs as a process of its own.
type daemon struct {
	*site
	cmd    *exec.Cmd
	public string // base URL of the TCP face
	stderr *spoken
}

// spoken is what a process has said, while it may say more.
type spoken struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *spoken) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// daemon starts an agent on the site's home and waits until it is ready.
func (s *site) daemon(args ...string) *daemon {
	s.t.Helper()
	return s.ready(append([]string{"agent", "--listen", "127.0.0.1:0"}, args...)...)
}

// ready starts a command that says when it is ready, and waits for that.
func (s *site) ready(args ...string) *daemon {
	s.t.Helper()
	return s.readyAs(s.command(args...))
}

// readyAs is ready for a command that is prepared already.
func (s *site) readyAs(cmd *exec.Cmd) *daemon {
	s.t.Helper()
	d := &daemon{site: s, stderr: &spoken{}, cmd: cmd}
	d.cmd.Stderr = d.stderr
	out, err := d.cmd.StdoutPipe()
	must(s.t, err)
	must(s.t, d.cmd.Start())
	s.t.Cleanup(func() {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait() // until then it may write into the folder that is removed next
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = d.cmd.Wait()
		s.t.Fatalf("the agent does not start: %s", d.stderr)
	}
	if fields := strings.Fields(line); len(fields) == 5 {
		d.public = fields[4]
	}
	return d
}

// end asks the agent to stop and wants it gone, in good order, within 10 s.
func (d *daemon) end() {
	d.t.Helper()
	begun := time.Now()
	must(d.t, d.cmd.Process.Signal(syscall.SIGTERM))
	err := d.cmd.Wait()
	if took := time.Since(begun); err != nil || took > patiently(10*time.Second) {
		d.t.Errorf("the agent ended after %v with %v: %s", took, err, d.stderr)
	}
	if strings.Contains(d.stderr.String(), "DATA RACE") || strings.Contains(d.stderr.String(), "panic") {
		d.t.Errorf("the agent broke: %s", d.stderr)
	}
}

// get asks the TCP face.
func (d *daemon) get(path string) (status int, body string) {
	d.t.Helper()
	return bodyOf(d.t, http.DefaultClient, d.public+path)
}

// staff asks the unix socket.
func (d *daemon) staff(path string) (status int, body string) {
	d.t.Helper()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", filepath.Join(d.home, "agent.sock"))
	}
	c := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	return bodyOf(d.t, &c, "http://vecctl.local"+path)
}

func bodyOf(t testing.TB, c *http.Client, url string) (int, string) {
	t.Helper()
	resp, err := c.Get(url)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp.StatusCode, string(body)
}

// until waits for something to become true.
func until(t testing.TB, patience time.Duration, what string, test func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !test(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v there is still no %s", patience, what)
		}
	}
}

// Whatever an agent has in hand when it is told to end is finished or goes back:
// nothing is lost and nothing done twice.
func TestTheAgentDrains(t *testing.T) {
	t.Parallel()
	rows := 600
	if long() {
		rows = 2000
	}
	for ; !drains(t, rows); rows *= 2 {
		if rows > 20_000 {
			t.Fatalf("runs of %d rows end before the agent does", rows)
		}
	}
}

// drains ends an agent in the middle of a batch; false when the batch was done before,
// as it may be on a machine with much else to do.
func drains(t *testing.T, rows int) bool {
	t.Helper()
	s := newSite(t)
	manifest := s.batch(rows)
	d := s.daemon()
	run := s.command("bulk", manifest, "--out", s.out)
	started := s.start(run)
	until(t, 3*time.Minute, "certificate", func() bool {
		var st adminclient.AgentStatus
		_, body := d.staff("/panel/status")
		must(t, json.Unmarshal([]byte(body), &st))
		return st.Certificates["approved"] > rows/5
	})
	d.end()
	r := s.finish(run, started)
	d = s.daemon()
	report := s.bulk(0, manifest)
	if r.code != 0 {
		r.says(t, "run the same command again")
	} else if report.Unchanged != rows {
		t.Errorf("the run that was broken off says it is done: %v", r)
	}
	wantWholeWhileRunning(s, report, rows)
	d.end()
	return r.code != 0
}

// wantWholeWhileRunning is wantWhole for a home that an agent has.
func wantWholeWhileRunning(s *site, report client.BulkReport, rows int) {
	s.t.Helper()
	if report.Total != rows || report.Issued+report.Unchanged != rows {
		s.t.Errorf("%d rows, %d issued, %d unchanged", report.Total, report.Issued, report.Unchanged)
	}
	people, files := map[string]bool{}, map[string]client.Certificate{}
	for _, c := range s.all() {
		if c.Status.Value != "approved" || people[c.Email] {
			s.t.Fatalf("%s of %s is %s, or has a second one", c.ReferenceID, c.Email, c.Status.Value)
		}
		people[c.Email], files[c.Verified.Name] = true, c
	}
	if len(people) != rows {
		s.t.Errorf("%d certificates for %d rows", len(people), rows)
	}
	wantFiles(s, files)
	wantReport(s, rows)
}

func TestASecondAgentNamesTheFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	begun := time.Now()
	r := s.want(11, "agent", "--listen", "127.0.0.1:0")
	// Without company on the machine it is a second and a little.
	if took := time.Since(begun); took > patiently(4*time.Second) {
		t.Errorf("it took %v to say so", took)
	}
	r.says(t, fmt.Sprintf("process %d (vecctl agent, since ", d.cmd.Process.Pid), s.home)
	d.end()
	if _, err := os.Stat(filepath.Join(s.home, "holder.json")); err == nil {
		t.Error("an agent that has ended is still noted as the home's holder")
	}
}

func TestTheAgentSaysHowItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	s.bulk(0, s.batch(3))
	for _, ask := range []func(string) (int, string){d.get, d.staff} {
		if status, body := ask("/livez"); status != 200 || body != "ok\n" {
			t.Errorf("/livez: %d %q", status, body)
		}
		if status, body := ask("/readyz"); status != 200 || !strings.Contains(body, `"ready":true`) {
			t.Errorf("/readyz: %d %q", status, body)
		}
		status, body := ask("/metrics")
		for _, want := range []string{
			`vecctl_certificates{state="approved"} 3`, `vecctl_certificate_events_total{event="accepted"} 3`,
			`vecctl_processing_seconds_count{result="approved"} 3`, `vecctl_batches{state="done"} 1`,
			`route="/panel/bulk",status="200"} 1`, `vecctl_build_info{`, `vecctl_disk_free_bytes `,
		} {
			if !strings.Contains(body, want) {
				t.Errorf("/metrics (%d) lacks %s", status, want)
			}
		}
		for _, c := range s.all() {
			if strings.Contains(body, c.Email) || strings.Contains(body, c.Name) || strings.Contains(body, c.ReferenceID) {
				t.Errorf("the metrics name %s", c.Name)
			}
		}
	}
	d.get("/business/certificate-vault/VEC-IC-2026")
	if _, body := d.staff("/metrics"); !strings.Contains(body, `face="api",method="GET",route="/business/certificate-vault/{name}",status="401"`) {
		t.Error("calls are not counted by their route")
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.public+"/metrics", nil)
	must(t, err)
	r.Header.Set("X-Forwarded-For", "192.0.2.1")
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	if resp.Body.Close(); resp.StatusCode != http.StatusNotFound {
		t.Errorf("/metrics through a proxy: %s", resp.Status)
	}
	d.end()
}

// With NOTIFY_SOCKET, a service manager is told when the agent is ready and when
// it begins to stop.
func TestTheServiceManagerIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	dir, err := os.MkdirTemp("", "notify") // a socket's path must be short
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := &net.UnixAddr{Name: filepath.Join(dir, "s"), Net: "unixgram"}
	socket, err := net.ListenUnixgram("unixgram", address)
	must(t, err)
	defer socket.Close()
	s.env = append(s.env, "NOTIFY_SOCKET="+address.Name)
	d := s.daemon()
	d.end()
	for _, want := range []string{"READY=1", "STOPPING=1"} {
		must(t, socket.SetReadDeadline(time.Now().Add(time.Minute)))
		said := make([]byte, 100)
		n, err := socket.Read(said)
		if err != nil || string(said[:n]) != want {
			t.Errorf("told %q, %v, want %q", said[:n], err, want)
		}
	}
}

func TestTheAgentsLog(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := filepath.Join(s.dir, "agent.log")
	s.env = append(s.env, "VECCTL_LOG_LEVEL=debug")
	d := s.daemon("--log-file", path)
	d.get("/business/batches")
	d.end()
	body, err := os.ReadFile(path)
	must(t, err)
	for line := range strings.Lines(string(body)) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%q is not JSON", line)
		}
	}
	if !strings.Contains(string(body), "/business/batches") {
		t.Errorf("the log is %q", body)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the log is open to others: %v", err)
	}
	s.env = append(s.env, "VECCTL_LOG_FORMAT=text")
	d = s.daemon()
	d.get("/business/batches")
	d.end()
	if !regexp.MustCompile(`(?m)^time=\S+ level=DEBUG msg=".*/business/batches`).MatchString(d.stderr.String()) {
		t.Errorf("the log is %q", d.stderr)
	}
}

func TestALogFileThatHasGrown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log, err := newLogFile(filepath.Join(dir, "agent.log"), config.Log{MaxSizeMB: 1})
	must(t, err)
	line := append(bytes.Repeat([]byte("x"), 999), '\n')
	for range 2500 {
		_, err := log.Write(line)
		must(t, err)
	}
	must(t, log.Close())
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != 3 {
		t.Errorf("2.5 MB lie in %d files of 1 MB", len(entries))
	}
}

func TestDoctorAsksTheAgentThatRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	s.bulk(0, s.batch(3))
	r := s.run("doctor", "-o", "json")
	var found []struct{ Check, Level, Message string }
	must(t, json.Unmarshal([]byte(r.stdout), &found))
	said := map[string]string{}
	for _, f := range found {
		said[f.Check] = f.Level + " " + f.Message
	}
	for check, want := range map[string]string{
		"agent": "ok the agent runs", "database": "ok it opens, and 3 records", "clock": "ok ", "drop": "ok ", "permissions": "ok ",
	} {
		if !strings.HasPrefix(said[check], want) {
			t.Errorf("%s: %q, want %q", check, said[check], want)
		}
	}
	d.end()
}

// What the process uses is said to the home's owner, on the socket, and to nobody else.
func TestTheAgentSaysWhatItUses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := s.daemon()
	s.bulk(0, s.batch(3))
	status, body := d.staff("/debug/runtime?collect=1")
	var used health.Runtime
	if err := json.Unmarshal([]byte(body), &used); status != 200 || err != nil {
		t.Fatalf("%d %q: %v", status, body, err)
	}
	if used.HeapLive < 1<<16 || used.HeapLive > 1<<30 || used.Goroutines < 5 || used.Collections == 0 || used.Database < 1<<12 {
		t.Errorf("got %+v", used)
	}
	if runtime.GOOS == "linux" && (used.Descriptors < 5 || used.DatabaseMapped == 0 || used.Resident < used.DatabaseMapped+used.HeapLive) {
		t.Errorf("got %+v", used)
	}
	if status, body := d.get("/debug/runtime"); status != http.StatusNotFound {
		t.Errorf("the public address answers %d %q", status, body)
	}
	if info, err := os.Stat(filepath.Join(s.home, "agent.sock")); runtime.GOOS == "linux" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("the socket is open to others: %v, %v", info, err)
	}
	d.end()
}
