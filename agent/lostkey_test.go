package agent_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// A signing key that was lost is not replaced in silence: issuing pauses with the reason, and all
// else works. What waits is issued when the key is put back or replaced.
func TestALostSigningKeyPausesIssuing(t *testing.T) {
	now := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	for name, spoil := range map[string]func(path string) error{
		"missing": os.Remove,
		"damaged": func(path string) error { return os.WriteFile(path, []byte("nothing"), 0o600) },
	} {
		for _, replaced := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir()
				key := filepath.Join(home.Dir(dir).Keys(), "signing.pem")
				during(t, dir, "UTC", now, func(_ *agent.Agent, c *adminclient.Client) {
					q := manifestOf(t, 1)
					q.NoWait = false
					issue(t, c, q)
				})
				kept, err := os.ReadFile(key)
				if err != nil {
					t.Fatal(err)
				}
				if err := spoil(key); err != nil {
					t.Fatal(err)
				}
				during(t, dir, "UTC", now, func(a *agent.Agent, c *adminclient.Client) {
					wantIssuingPaused(t, a, c, key)
					if replaced {
						if _, err := c.RotateKey(t.Context(), false); err != nil {
							t.Fatal(err)
						}
					} else if err := os.WriteFile(key, kept, 0o600); err != nil {
						t.Fatal(err)
					}
					if _, err := c.SigningKey(t.Context()); err != nil {
						t.Errorf("the key is not found again: %v", err)
					}
				})
				// What waits is tried again after a while.
				during(t, dir, "UTC", now.Add(time.Minute), func(_ *agent.Agent, c *adminclient.Client) {
					waitFor(t, "issuing to go on", func() bool {
						s, err := c.AgentStatus(t.Context())
						return err == nil && s.Certificates["approved"] == 3 && len(s.Problems) == 0
					})
				})
			})
		}
	}
}

// wantIssuingPaused submits two documents, which wait because a key is lost.
func wantIssuingPaused(t *testing.T, a *agent.Agent, c *adminclient.Client, key string) {
	t.Helper()
	if page, err := c.List(t.Context(), client.Filter{}); err != nil || len(page.Data) != 1 {
		t.Fatalf("%d certificates, %v", len(page.Data), err)
	}
	if _, err := c.SigningKey(t.Context()); err == nil || !strings.Contains(err.Error(), key) {
		t.Errorf("the key that is lost: %v", err)
	}
	if keys, err := c.Keys(t.Context()); err != nil || keys[0].State != adminclient.KeyLost {
		t.Errorf("%+v, %v", keys, err)
	}
	q := manifestOf(t, 3)
	q.NoWait = true
	issue(t, c, q)
	waitFor(t, "the pause", func() bool {
		return strings.Contains(ask(a.Handler(), http.MethodGet, "/readyz").Body.String(), key)
	})
	s, err := c.AgentStatus(t.Context())
	if err != nil || s.Certificates["processing"] != 2 || s.Certificates["failed"] != 0 {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, p := range s.Problems {
		if !strings.Contains(p.Message, "issuing is paused") || !strings.Contains(p.Message, key) {
			t.Errorf("%+v", p)
		}
	}
}
