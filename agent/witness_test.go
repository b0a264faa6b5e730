package agent_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// laterWitness is a witness that begins to answer later.
type laterWitness struct {
	answers chan http.Handler // filled once
}

func (l laterWitness) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case h := <-l.answers:
		l.answers <- h
		h.ServeHTTP(w, r)
	default:
		http.Error(w, "not yet", http.StatusServiceUnavailable)
	}
}

// Certificates are issued while no witness answers, and get the cosignatures in place.
func TestCosignaturesAreAddedInPlace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	began := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	o := agent.Options{Home: home.Dir(dir), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: clockFrom(began), Log: slog.New(slog.DiscardHandler)}
	var logKey string
	during(t, dir, "UTC", began, func(_ *agent.Agent, c *adminclient.Client) { // the log's key must be known to the witness
		q := manifestOf(t, 1)
		q.NoWait = false
		bulk(t, c, q)
		logs, err := c.Logs(t.Context())
		if err != nil || len(logs) != 1 {
			t.Fatalf("the logs are %+v (%v)", logs, err)
		}
		logKey = logs[0].Key
	})
	later := laterWitness{make(chan http.Handler, 1)}
	server := httptest.NewServer(later)
	defer server.Close()
	w, err := transparency.OpenWitness(filepath.Join(t.TempDir(), "witness"), "archive.example.edu", rand.Reader, []string{logKey})
	if err != nil {
		t.Fatal(err)
	}
	cosigner, err := transparency.ParseCosigner(w.PublicKey() + " " + server.URL)
	if err != nil {
		t.Fatal(err)
	}
	settings := config.Default()
	settings.Transparency.Witnesses = []transparency.Cosigner{cosigner}
	o.Config = &settings
	running(t, o, func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 5)
		q.NoWait = false
		report := bulk(t, c, q)
		before := map[string][]byte{}
		for _, row := range report.Rows[1:] {
			var file bytes.Buffer
			if _, err := c.Download(t.Context(), row.UUID, &file); err != nil {
				t.Fatal(err)
			}
			before[row.UUID] = file.Bytes()
		}
		waitForHold(t, c, "4 verified PDFs lack the cosignatures of witnesses")
		later.answers <- w
		for _, row := range report.Rows[1:] {
			after := cosignedFile(t, c, row.UUID, cosigner)
			was := before[row.UUID]
			if len(after) != len(was) || bytes.Equal(after, was) {
				t.Errorf("the file has %d bytes, and had %d", len(after), len(was))
			}
			one, err := c.Certificate(t.Context(), row.UUID)
			if err != nil {
				t.Fatal(err)
			}
			found, err := pdf.NewVerifier(pdf.WithDigest()).Verify(bytes.NewReader(was), int64(len(was)))
			if err != nil || !found.Valid || !one.Verified.Is(hex.EncodeToString(found.SHA256)) {
				t.Errorf("the file as it was issued is %s, and known: %+v (%v)", found.Sentence, one.Verified, err)
			}
		}
		logs, err := c.Logs(t.Context())
		if err != nil || logs[0].Cosigned != logs[0].Size || len(transparency.Cosignatures([]byte(logs[0].Checkpoint), settings.Transparency.Witnesses)) != 1 {
			t.Errorf("the log is %+v (%v)", logs, err)
		}
	})
	// An older state of the home is refused: the witness has seen more.
	older := filepath.Join(t.TempDir(), "home")
	if err := os.CopyFS(older, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	running(t, o, func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 7)
		q.NoWait = false
		report := bulk(t, c, q)
		cosignedFile(t, c, report.Rows[6].UUID, cosigner)
	})
	if err := os.Remove(filepath.Join(older, "log-keys", "place")); err != nil { // nothing says that it is a copy
		t.Fatal(err)
	}
	o.Home = home.Dir(older)
	running(t, o, func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 6)
		q.NoWait = true
		bulk(t, c, q)
		waitForHold(t, c, "the witness archive.example.edu has seen the log")
		if os.Getenv("VECCTL_LONG") == "" {
			return // what was held is tried again after seconds
		}
		if _, err := c.ContinueLogs(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.NewLog(t.Context()); err != nil {
			t.Fatal(err)
		}
		waitForApproved(t, c, 6)
		logs, err := c.Logs(t.Context())
		if err != nil || len(logs) != 2 || !logs[1].Growing || logs[1].Size != 1 || logs[0].Growing {
			t.Errorf("after the decision the logs are %+v (%v)", logs, err)
		}
	})
}

// clockFrom is a clock that goes on from a moment.
func clockFrom(began time.Time) func() time.Time {
	started := time.Now()
	return func() time.Time { return began.Add(time.Since(started)) }
}

// cosignedFile waits until a certificate's PDF has a cosignature, and returns it.
func cosignedFile(t *testing.T, c *adminclient.Client, uuid string, by transparency.Cosigner) []byte {
	t.Helper()
	var file bytes.Buffer
	for range 600 {
		file.Reset()
		if _, err := c.Download(t.Context(), uuid, &file); err != nil {
			t.Fatal(err)
		}
		_, text := provenEntry(t, c, uuid)
		_, checkpoint, _ := strings.Cut(string(text), "\n\n")
		if all := transparency.Cosignatures([]byte(checkpoint), []transparency.Cosigner{by}); len(all) == 1 {
			return file.Bytes()
		}
		pause(t)
	}
	t.Fatal("the file got no cosignature")
	return nil
}

// waitForHold waits until issuing is paused for a reason.
func waitForHold(t *testing.T, c *adminclient.Client, reason string) {
	t.Helper()
	var said []adminclient.Problem
	for range 600 {
		status, err := c.AgentStatus(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range status.Problems {
			if strings.Contains(p.Message, reason) {
				return
			}
		}
		said = status.Problems
		pause(t)
	}
	t.Fatalf("issuing is not paused: %+v", said)
}

// waitForApproved waits until so many certificates are issued.
func waitForApproved(t *testing.T, c *adminclient.Client, n int) {
	t.Helper()
	for range 600 {
		status, err := c.AgentStatus(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if status.Certificates["approved"] >= n {
			return
		}
		pause(t)
	}
	t.Fatalf("not all of %d certificates were issued", n)
}

// pause waits a little, as somebody does who looks again.
func pause(t *testing.T) {
	t.Helper()
	select {
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	case <-time.After(50 * time.Millisecond):
	}
}

// A home that was copied issues nothing until staff say which of the two goes on.
func TestACopiedHomeWaits(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	began := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	during(t, dir, "UTC", began, func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 2)
		q.NoWait = false
		bulk(t, c, q)
	})
	if os.Getenv("VECCTL_LONG") == "" {
		t.Skip("what is held is tried again after seconds; set VECCTL_LONG")
	}
	copied := filepath.Join(t.TempDir(), "copied")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	running(t, agent.Options{Home: home.Dir(copied), Now: clockFrom(began), Log: slog.New(slog.DiscardHandler)}, func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 3)
		q.NoWait = true
		bulk(t, c, q)
		waitForHold(t, c, "this home was copied or moved")
		logs, err := c.Logs(t.Context())
		if err != nil || !strings.Contains(logs[0].Problem, "copied or moved") {
			t.Errorf("the logs are %+v (%v)", logs, err)
		}
		if _, err := c.ContinueLogs(t.Context()); err != nil {
			t.Fatal(err)
		}
		waitForApproved(t, c, 3)
		logs, err = c.Logs(t.Context())
		if err != nil || len(logs) != 1 || logs[0].Size < 3 {
			t.Errorf("after the decision the logs are %+v (%v)", logs, err)
		}
	})
	// What was published by the copy is known to the original, which does not go on either.
	site := t.TempDir()
	during(t, copied, "UTC", began, func(_ *agent.Agent, c *adminclient.Client) {
		_, err := c.Site(t.Context(), func(name string, content []byte) error {
			path := filepath.Join(site, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return err
			}
			return os.WriteFile(path, content, 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	settings := config.Default()
	settings.Transparency.Published = site
	running(t, agent.Options{Home: home.Dir(dir), Config: &settings, Now: clockFrom(began), Log: slog.New(slog.DiscardHandler)}, func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 4)
		q.NoWait = true
		bulk(t, c, q)
		waitForHold(t, c, "this home is older than what was published")
		if _, err := c.ContinueLogs(t.Context()); err == nil {
			t.Error("a log that is published further on was continued")
		}
		if _, err := c.NewLog(t.Context()); err != nil {
			t.Fatal(err)
		}
		waitForApproved(t, c, 4)
	})
}
