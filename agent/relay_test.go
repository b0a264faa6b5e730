package agent_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/wake"
)

// relayEnv is the environment of a home in front of a vault.
func relayEnv(url string) map[string]string {
	return map[string]string{"VECCTL_RELAY_URL": url, "VECCTL_RELAY_TOKEN": clienttest.Token}
}

// eachVault runs a test with a home in front of a vault of each dialect.
func eachVault(t *testing.T, faults clienttest.Faults, test func(t *testing.T, there *clienttest.Server, c *adminclient.Client)) {
	t.Helper()
	for name, vaultOf := range map[string]func(testing.TB) *clienttest.Server{"guide": clienttest.Guide, "reference": clienttest.Reference} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there := vaultOf(t)
			there.Set(faults)
			c, work := vaultWith(t, filepath.Join(t.TempDir(), "home"), relayEnv(there.URL))
			work()
			test(t, there, c)
		})
	}
}

// wantOnce wants that the vault has each of n people's certificates once, and nothing else.
func wantOnce(t *testing.T, there *clienttest.Server, n int) {
	t.Helper()
	count := map[vault.Key]int{}
	for _, c := range there.Issued() {
		count[c.Key()]++
	}
	if len(count) != n || slices.ContainsFunc(slices.Collect(maps.Values(count)), func(n int) bool { return n != 1 }) {
		t.Errorf("%d certificates there of %d, %v", len(count), n, count)
	}
}

// TestRelay issues a batch on another vault: the report, the documents and the list here are those
// of that vault.
func TestRelay(t *testing.T) {
	for name, faults := range map[string]clienttest.Faults{
		"as it should be":    {},
		"slowly":             {HideFor: 1, ProcessFor: 2},
		"answers are lost":   {LoseBulk: 2, LoseUpload: 2, OneDuplicate: true},
		"busy":               {Busy: 3, Broken: 2},
		"bare duplicates":    {LoseBulk: 2, BareDuplicate: true},
		"files are lost":     {LoseFiles: 1},
		"lists break off":    {CutLists: 2},
		"somebody else too":  {InsertWhileReading: true},
		"with dates":         {Dates: true},
		"without any dates":  {NoDates: true},
		"bare, oldest first": {PlainLists: true, OldestFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachVault(t, faults, func(t *testing.T, there *clienttest.Server, c *adminclient.Client) {
				const rows = 20
				q := manifestOf(t, rows)
				q.NoWait, q.Out = false, filepath.Join(t.TempDir(), "out")
				r := issue(t, c, q)
				if r.Issued != rows || r.Failed != 0 {
					t.Fatalf("%+v", r)
				}
				for _, row := range r.Rows {
					var body bytes.Buffer
					if _, err := c.Download(t.Context(), row.UUID, &body); err != nil {
						t.Fatal(err)
					}
					one, err := c.Certificate(t.Context(), row.UUID)
					if err != nil {
						t.Fatal(err)
					}
					if one.Remote == nil || one.Remote.ReferenceID != there.Reference(one.Email) || !strings.Contains(body.String(), one.Remote.ReferenceID) {
						t.Errorf("%+v has %q", one, body.String())
					}
				}
				if !faults.InsertWhileReading {
					wantOnce(t, there, rows)
				}
				if again := issue(t, c, q); again.Unchanged != rows {
					t.Errorf("again: %+v", again)
				}
			})
		})
	}
}

// TestRelayRefused has rows that the vault refuses, or fails, with its reason, and goes on with the
// others. A retry goes there.
func TestRelayRefused(t *testing.T) {
	eachVault(t, clienttest.Faults{FailFor: "p2@example.org"}, func(t *testing.T, there *clienttest.Server, c *adminclient.Client) {
		there.Issue(vault.Content{Title: "Diploma", Name: "Somebody Else", Email: "p4@example.org", IssueDate: vault.Date(time.Now().UTC().Format(time.DateOnly))})
		q := manifestOf(t, 6)
		q.NoWait = false
		r := issue(t, c, q)
		if r.Issued != 4 || r.Failed != 2 || r.Rows[2].Status != client.RowFailed || r.Rows[4].Status != client.RowFailed {
			t.Fatalf("%+v", r)
		}
		if !strings.Contains(r.Rows[2].Error, there.URL) || !strings.Contains(r.Rows[4].Error, "Somebody Else") {
			t.Errorf("reasons: %q, %q", r.Rows[2].Error, r.Rows[4].Error)
		}
		there.Set(clienttest.Faults{})
		if _, err := c.Retry(t.Context(), r.Rows[2].UUID); err != nil {
			t.Fatal(err)
		}
		one, err := c.Await(t.Context(), r.Rows[2].UUID)
		if err != nil || !one.Status.Is(vault.Approved) {
			t.Errorf("retried: %+v, %v", one, err)
		}
		if n := there.Calls(fmt.Sprintf("POST /business/certificate-vault/%s/retry", one.Remote.UUID)); n != 1 {
			t.Errorf("%d retries there", n)
		}
		wantOnce(t, there, 6)
	})
}

// TestRelayPaused has the vault away, or refuse the token: nothing fails, staff see why issuing is
// paused, and it resumes by itself.
func TestRelayPaused(t *testing.T) {
	if os.Getenv("VECCTL_LONG") == "" {
		t.Skip("waits seconds until the vault is tried again; set VECCTL_LONG")
	}
	for name, away := range map[string]int{"away": http.StatusBadGateway, "the token is refused": http.StatusUnauthorized, "another server": http.StatusNotFound} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there := clienttest.Reference(t)
			to, err := url.Parse(there.URL)
			if err != nil {
				t.Fatal(err)
			}
			var status atomic.Int64
			status.Store(int64(away))
			proxy := httputil.NewSingleHostReverseProxy(to)
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if code := status.Load(); code != 0 {
					w.WriteHeader(int(code))
					return
				}
				proxy.ServeHTTP(w, r)
			}))
			t.Cleanup(front.Close)
			c, work := vaultWith(t, filepath.Join(t.TempDir(), "home"), relayEnv(front.URL))
			work()
			q := manifestOf(t, 3)
			r := issue(t, c, q)
			var said string
			for said == "" {
				status, err := c.AgentStatus(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range status.Problems {
					if strings.Contains(p.Message, "paused") {
						said = p.Message
					}
				}
				wake.Sleep(t.Context(), 20*time.Millisecond)
			}
			if !strings.Contains(said, "issuing is paused") || !strings.Contains(said, front.URL) || !strings.Contains(said, "goes on by itself") {
				t.Errorf("staff are told %q", said)
			}
			status.Store(0)
			for _, row := range r.Rows {
				if one, err := c.Await(t.Context(), row.UUID); err != nil || !one.Status.Is(vault.Approved) {
					t.Errorf("%+v, %v", one, err)
				}
			}
			if status, err := c.AgentStatus(t.Context()); err != nil || len(status.Problems) != 0 {
				t.Errorf("afterwards: %+v, %v", status.Problems, err)
			}
			wantOnce(t, there, 3)
		})
	}
}

// runOn runs an agent on a home while a test's part lasts.
func runOn(t *testing.T, dir string, env map[string]string, part func(c *adminclient.Client)) {
	t.Helper()
	a, err := agent.Open(t.Context(), agent.Options{
		Home: home.Dir(dir), Config: configWith(t, dir, env), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := adminclient.New("http://vecctl.test", client.InProcess(a.Handler()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	part(c)
	stop()
	if err := errors.Join(<-ended, a.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestRelayRevoked follows a revocation on the other vault. What only that vault can do is refused
// here, and without relay.url nothing that is on its way there is issued here.
func TestRelayRevoked(t *testing.T) {
	t.Parallel()
	there, dir := clienttest.Reference(t), filepath.Join(t.TempDir(), "home")
	var revoked, onTheWay string
	runOn(t, dir, relayEnv(there.URL), func(c *adminclient.Client) {
		q := manifestOf(t, 2)
		q.NoWait = false
		revoked = issue(t, c, q).Rows[1].UUID
		if _, err := c.Revoke(t.Context(), revoked, "a mistake"); !fault.Is(err, fault.Illegal) || !strings.Contains(err.Error(), there.URL) {
			t.Errorf("revoked here: %v", err)
		}
		if s, err := c.AgentStatus(t.Context()); err != nil || s.Relay != there.URL || s.Certificates["approved"] != 2 {
			t.Errorf("%+v, %v", s, err)
		}
		there.Revoke("p1@example.org")
		there.Set(clienttest.Faults{ProcessFor: 1 << 20})
		more := manifestOf(t, 3)
		more.Skip = true
		onTheWay = issue(t, c, more).Rows[2].UUID
		for one, err := c.Certificate(t.Context(), onTheWay); one.Remote == nil; one, err = c.Certificate(t.Context(), onTheWay) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	runOn(t, dir, nil, func(c *adminclient.Client) {
		s, err := c.AgentStatus(t.Context())
		if err != nil || len(s.Problems) != 1 || !strings.Contains(s.Problems[0].Message, "relay.url is not set") {
			t.Errorf("without relay.url: %+v, %v", s.Problems, err)
		}
	})
	there.Finish()
	runOn(t, dir, relayEnv(there.URL), func(c *adminclient.Client) {
		if one, err := c.Await(t.Context(), onTheWay); err != nil || !one.Status.Is(vault.Approved) {
			t.Errorf("%+v, %v", one, err)
		}
		for one, err := c.Certificate(t.Context(), revoked); !one.Status.Is(vault.Revoked); one, err = c.Certificate(t.Context(), revoked) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	wantOnce(t, there, 3)
}

// TestRelayListCalls keeps the number of list calls for a large batch in bounds: those that count what is
// being processed, the first page for each group, and each page once. A vault without dates is read for
// each group.
func TestRelayListCalls(t *testing.T) {
	if os.Getenv("VECCTL_LONG") == "" {
		t.Skip("issues thousands of certificates; set VECCTL_LONG")
	}
	const rows, most, undated = 10_000, 300, 1200
	eachVault(t, clienttest.Faults{}, func(t *testing.T, there *clienttest.Server, c *adminclient.Client) {
		q := manifestOf(t, rows)
		q.NoWait = false
		begun := time.Now()
		if r := issue(t, c, q); r.Issued != rows {
			t.Fatalf("%d issued", r.Issued)
		}
		wantOnce(t, there, rows)
		n := there.Calls("list")
		t.Logf("%d list calls in %s", n, time.Since(begun).Round(time.Second))
		if bound := map[bool]int{true: undated, false: most}[strings.HasSuffix(t.Name(), "guide")]; n > bound {
			t.Errorf("%d list calls, want at most %d", n, bound)
		}
	})
}
