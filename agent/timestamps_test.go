package agent_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

const tsConfig = `
[req]
distinguished_name = dn
[dn]
[tsa_ext]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[tsa]
default_tsa = t
[t]
serial = %[1]s/serial
default_policy = 1.2.3.4
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
`

// timestampServer answers with what "openssl ts" makes of each request.
func timestampServer(t *testing.T) *httptest.Server {
	t.Helper()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"conf": fmt.Sprintf(tsConfig, dir), "serial": "01\n"} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(openssl, "req", "-x509", "-nodes", "-days", "3650", "-subj", "/CN=Test Clock", "-newkey", "rsa:2048",
		"-config", path("conf"), "-extensions", "tsa_ext", "-keyout", path("key"), "-out", path("crt")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var one sync.Mutex // the files are those of one request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one.Lock()
		defer one.Unlock()
		b, _ := io.ReadAll(r.Body)
		if err := os.WriteFile(path("query"), b, 0o600); err != nil {
			t.Error(err)
		}
		if out, err := exec.Command(openssl, "ts", "-reply", "-config", path("conf"), "-section", "t", "-queryfile", path("query"),
			"-inkey", path("key"), "-signer", path("crt"), "-out", path("reply")).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
		answer, err := os.ReadFile(path("reply"))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/timestamp-reply")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server
}

// runningWith has an agent work on a home, whose clock is ahead, while act runs.
func runningWith(t *testing.T, dir string, env map[string]string, ahead time.Duration, act func(*adminclient.Client)) {
	t.Helper()
	running(t, agent.Options{
		Home: home.Dir(dir), Config: configWith(t, dir, env), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: func() time.Time { return time.Now().Add(ahead) }, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}, func(_ *agent.Agent, c *adminclient.Client) { act(c) })
}

// waitStatus waits until the status is as wanted.
func waitStatus(t *testing.T, c *adminclient.Client, wanted func(adminclient.AgentStatus) bool) adminclient.AgentStatus {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		s, err := c.AgentStatus(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if wanted(s) {
			return s
		}
		select {
		case <-deadline:
			t.Fatalf("the status stays %+v", s)
		case <-tick.C:
		}
	}
}

// waitReport waits until the report in a folder has a text some times. What is added to files
// later is written into their folder after it was kept.
func waitReport(t *testing.T, dir, text string, times int) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		report, err := os.ReadFile(filepath.Join(dir, "report.csv"))
		if err == nil && strings.Count(string(report), text) == times {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("the report stays %s, %v", report, err)
		case <-tick.C:
		}
	}
}

func problemSays(s adminclient.AgentStatus, kind, text string) bool {
	for _, p := range s.Problems {
		if p.Kind == kind && strings.Contains(p.Message, text) {
			return true
		}
	}
	return false
}

// firstSignature returns the first signature of a verified PDF, which is valid.
func firstSignature(t *testing.T, c *adminclient.Client, of client.Certificate) pdf.Signature {
	t.Helper()
	var file bytes.Buffer
	if _, err := c.Download(t.Context(), of.UUID, &file); err != nil {
		t.Fatal(err)
	}
	v, err := pdf.Verify(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || !v.Valid {
		t.Fatal(v.Sentence, err)
	}
	return v.Signatures[0]
}

func isStamped(t *testing.T, c *adminclient.Client, of client.Certificate) bool {
	t.Helper()
	return firstSignature(t, c, of).Timestamped
}

// A time stamp that no server gave is a job, until one gives it; files that were issued
// without it stay genuine.
func TestAnOwedTimestampIsAddedLater(t *testing.T) {
	dir, server := filepath.Join(t.TempDir(), "home"), timestampServer(t)
	q := manifestOf(t, 3)
	q.NoWait = false
	var before []client.Certificate
	earlier := filepath.Join(t.TempDir(), "earlier.pdf")
	var first client.BulkReport
	runningWith(t, dir, map[string]string{"VECCTL_SIGNING_TIMESTAMPS": "http://127.0.0.1:1/"}, 0, func(c *adminclient.Client) {
		if r := issue(t, c, q); r.Issued != 3 || r.TimestampsOwed != 3 || !r.Rows[0].TimestampOwed {
			t.Fatalf("%+v", r)
		} else {
			first = r
		}
		page, err := c.List(t.Context(), client.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if before = page.Data; !before[0].Verified.TimestampOwed || isStamped(t, c, before[0]) {
			t.Errorf("%+v", before[0].Verified)
		}
		var issued bytes.Buffer
		if _, err := c.Download(t.Context(), before[0].UUID, &issued); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(earlier, issued.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		waitStatus(t, c, func(s adminclient.AgentStatus) bool {
			q := s.Jobs["timestamp"]
			return q.Waiting+q.Later == 3 && problemSays(s, "timestamps", "3 verified PDFs lack their time stamp")
		})
	})
	env := map[string]string{"VECCTL_SIGNING_TIMESTAMPS": "http://127.0.0.1:1/, " + server.URL}
	runningWith(t, dir, env, 2*time.Minute, func(c *adminclient.Client) {
		waitStatus(t, c, func(s adminclient.AgentStatus) bool {
			q := s.Jobs["timestamp"]
			return q.Waiting+q.Later == 0 && !problemSays(s, "timestamps", "")
		})
		for _, old := range before {
			now, err := c.Certificate(t.Context(), old.UUID)
			if err != nil {
				t.Fatal(err)
			}
			if v := now.Verified; v.TimestampOwed || v.SHA256 == old.Verified.SHA256 || v.Size != old.Verified.Size || !v.Is(old.Verified.SHA256) || !isStamped(t, c, now) {
				t.Errorf("%+v after %+v", v, old.Verified)
			}
		}
		// The folder has the new files, and the report says so.
		waitReport(t, first.Out, ",B-T,", 3)
		written, err := os.ReadFile(filepath.Join(first.Out, first.Rows[0].File))
		if err != nil {
			t.Fatal(err)
		}
		if v, err := pdf.Verify(bytes.NewReader(written), int64(len(written))); err != nil || !v.Valid || !v.Signatures[0].Timestamped {
			t.Errorf("the file in the folder has no time stamp yet: %s, %v", v.Sentence, err)
		}
		// The same run again says that nothing is owed, and writes the files anew.
		r := issue(t, c, q)
		if r.Unchanged != 3 || r.TimestampsOwed != 0 {
			t.Fatalf("%+v", r)
		}
		file, err := os.ReadFile(filepath.Join(r.Out, r.Rows[0].File))
		if err != nil {
			t.Fatal(err)
		}
		if v, err := pdf.Verify(bytes.NewReader(file), int64(len(file))); err != nil || !v.Valid || !v.Signatures[0].Timestamped {
			t.Errorf("the file in the folder has no time stamp: %s, %v", v.Sentence, err)
		}
		page := "file://" + filepath.Join(writeSite(t, c), "index.html")
		if shown := judgeFile(chromium(t), t, page, earlier); !strings.Contains(shown, "Genuine") || !strings.Contains(shown, "byte for byte") {
			t.Errorf("the static site says of the file without the time stamp:\n%s", shown)
		}
	})
}

// Where a time stamp is demanded, certificates wait for it, the reason is shown, and issuing
// goes on by itself.
func TestARequiredTimestampHoldsIssuing(t *testing.T) {
	dir, server := filepath.Join(t.TempDir(), "home"), timestampServer(t)
	q := manifestOf(t, 2)
	q.NoWait = false
	runningWith(t, dir, map[string]string{"VECCTL_SIGNING_TIMESTAMPS": "http://127.0.0.1:1/", "VECCTL_SIGNING_REQUIRE_TIMESTAMP": "true"}, 0, func(c *adminclient.Client) {
		_, err := c.Bulk(t.Context(), q, func(client.Progress) {})
		if err == nil || !strings.Contains(err.Error(), "issuing is paused: no time stamp server answers as it should") {
			t.Errorf("a batch that cannot be signed ends with %v", err)
		}
		s := waitStatus(t, c, func(s adminclient.AgentStatus) bool { return problemSays(s, "signing", "issuing is paused") })
		if s.Certificates["processing"] != 2 || s.Certificates["failed"] != 0 {
			t.Errorf("%+v", s.Certificates)
		}
	})
	runningWith(t, dir, map[string]string{"VECCTL_SIGNING_TIMESTAMPS": server.URL, "VECCTL_SIGNING_REQUIRE_TIMESTAMP": "true"}, 2*time.Minute, func(c *adminclient.Client) {
		if r := issue(t, c, q); r.Issued+r.Unchanged != 2 || r.TimestampsOwed != 0 {
			t.Errorf("%+v", r)
		}
		waitStatus(t, c, func(s adminclient.AgentStatus) bool {
			return s.Certificates["approved"] == 2 && !problemSays(s, "signing", "")
		})
	})
}

// Many documents wait for their time stamps at a time: a server's answer time is that of one
// document, not of all in turn.
func TestTimestampRequestsOverlap(t *testing.T) {
	const together = 8
	behind := timestampServer(t)
	var arrived sync.WaitGroup
	arrived.Add(together)
	all := make(chan struct{})
	go func() {
		arrived.Wait()
		close(all)
	}()
	var timeouts atomic.Int32
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived.Done()
		select {
		case <-all:
		case <-time.After(3 * time.Second):
			timeouts.Add(1)
		}
		behind.Config.Handler.ServeHTTP(w, r)
	}))
	defer front.Close()
	q := manifestOf(t, together)
	q.NoWait = false
	dir := filepath.Join(t.TempDir(), "home")
	runningWith(t, dir, map[string]string{"VECCTL_SIGNING_TIMESTAMPS": front.URL}, 0, func(c *adminclient.Client) {
		if r := issue(t, c, q); r.Issued != together || r.TimestampsOwed != 0 {
			t.Errorf("%+v", r)
		}
	})
	if timeouts.Load() != 0 {
		t.Errorf("%d of %d requests waited for others to begin", timeouts.Load(), together)
	}
}
