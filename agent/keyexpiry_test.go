package agent_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// A key that ends within 60 days is warned of until another is in its place, and
// what it signed stays valid then.
func TestASigningKeyThatEndsSoon(t *testing.T) {
	dir, made := t.TempDir(), time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	during(t, dir, "UTC", made, func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 2)
		q.NoWait = false
		issue(t, c, q)
		wantKeyProblem(t, c, "")
	})
	for _, test := range []struct {
		now  time.Time
		says string
	}{
		{made.AddDate(10, 0, -61), ""},
		{made.AddDate(10, 0, -59), "the signing key of Test University ends on 2036-05-02; replace it with \"vecctl key rotate\""},
		{made.AddDate(10, 0, 1), "the signing key of Test University ended on 2036-05-02"},
	} {
		during(t, dir, "UTC", test.now, func(a *agent.Agent, c *adminclient.Client) {
			wantKeyProblem(t, c, test.says)
			if body := ask(a.Handler(), http.MethodGet, "/metrics").Body; !bytes.Contains(body.Bytes(), []byte("vecctl_signing_key_end_timestamp_seconds 2.0933")) {
				t.Errorf("the metrics do not say when the key ends")
			}
		})
	}
	during(t, dir, "UTC", made.AddDate(10, 0, 1), func(_ *agent.Agent, c *adminclient.Client) {
		before, err := c.SigningKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		after, err := c.RotateKey(t.Context(), false)
		if err != nil || after.Fingerprint == before.Fingerprint || after.Subject != "Test University" {
			t.Errorf("%+v after %+v, %v", after, before, err)
		}
		wantKeyProblem(t, c, "")
		page, err := c.List(t.Context(), client.Filter{})
		if err != nil || len(page.Data) != 2 {
			t.Fatalf("%d certificates, %v", len(page.Data), err)
		}
		for _, found := range page.Data {
			wantValid(t, c, found)
		}
	})
}

func wantKeyProblem(t *testing.T, c *adminclient.Client, says string) {
	t.Helper()
	s, err := c.AgentStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := ""
	for _, p := range s.Problems {
		if p.Kind == adminclient.KeyProblem {
			found += p.Message
		}
	}
	if !strings.HasPrefix(found, says) || says == "" && found != "" {
		t.Errorf("status says %q, want %q", found, says)
	}
}

// The key in use is tested without a change; one that has ended fails.
func TestTestingTheKey(t *testing.T) {
	dir, made := t.TempDir(), time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	during(t, dir, "UTC", made, func(_ *agent.Agent, c *adminclient.Client) {
		key, err := c.SigningKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tested, err := c.TestKey(t.Context())
		if err != nil || tested.SigningKey != key || len(tested.Warnings) != 1 || !strings.Contains(tested.Warnings[0], "self-made") {
			t.Errorf("%+v, %v", tested, err)
		}
	})
	during(t, dir, "UTC", made.AddDate(10, 0, 1), func(_ *agent.Agent, c *adminclient.Client) {
		if _, err := c.TestKey(t.Context()); err == nil || !strings.Contains(err.Error(), "valid from 2026-05-02 to 2036-05-02") {
			t.Errorf("a key that has ended: %v", err)
		}
	})
}

// With a key that has ended nothing is signed and nothing fails: what was taken waits, and status
// and /readyz say why.
func TestAnEndedKeyPausesIssuing(t *testing.T) {
	dir, made := t.TempDir(), time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	during(t, dir, "UTC", made, func(*agent.Agent, *adminclient.Client) {})
	during(t, dir, "UTC", made.AddDate(10, 0, 1), func(a *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 1)
		q.NoWait = true
		issue(t, c, q)
		const why = "issuing is paused: the signing key of Test University ended on 2036-05-02"
		waitFor(t, "the pause", func() bool {
			s, err := c.AgentStatus(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range s.Problems {
				if strings.Contains(p.Message, why) {
					return s.Certificates["processing"] == 1 && s.Certificates["failed"] == 0
				}
			}
			return false
		})
		if body := ask(a.Handler(), http.MethodGet, "/readyz").Body.String(); !strings.Contains(body, why) {
			t.Errorf("/readyz says %s", body)
		}
	})
}
