package agent_test

import (
	"bytes"
	"crypto/rand"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// A self-made key that ends within 60 days is renewed by itself, also when no agent ran then; what
// it signed stays valid, and it stays listed.
func TestASelfMadeKeyIsRenewed(t *testing.T) {
	dir, made := t.TempDir(), time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	keys := map[string]bool{}
	for i, now := range []time.Time{made, made.AddDate(10, 0, -61), made.AddDate(10, 0, -59), made.AddDate(25, 0, 0)} {
		during(t, dir, "UTC", now, func(a *agent.Agent, c *adminclient.Client) {
			q := manifestOf(t, i+1)
			q.NoWait = false
			issue(t, c, q)
			wantKeyProblem(t, c, "")
			key, err := c.SigningKey(t.Context())
			if err != nil || !key.ValidUntil.After(now.AddDate(0, 0, 60)) {
				t.Fatalf("%s: %+v, %v", now, key, err)
			}
			if keys[key.Fingerprint] = true; len(keys) == 1 {
				if body := ask(a.Handler(), http.MethodGet, "/metrics").Body; !bytes.Contains(body.Bytes(), []byte("vecctl_signing_key_end_timestamp_seconds 2.0933")) {
					t.Errorf("the metrics do not say when the key ends")
				}
			}
			wantMails(t, c, vault.MailKeyEnd, 0)
		})
	}
	during(t, dir, "UTC", made.AddDate(25, 0, 0), func(_ *agent.Agent, c *adminclient.Client) {
		if len(keys) != 3 {
			t.Errorf("signed with %d keys, want 3", len(keys))
		}
		listed, err := c.Keys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range listed {
			if k.What == adminclient.InstitutionKey {
				delete(keys, k.ID)
			}
		}
		if before := slices.Collect(maps.Keys(keys)); len(listed) < 3 || listed[0].State != adminclient.KeyCurrent || listed[1].State != adminclient.KeyVerifies {
			t.Errorf("%v, listed %+v", before, listed)
		}
		renewals := 0
		trail, err := c.AuditTrail(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range trail {
			if e.Request == "signing key renewed" && e.Actor == "agent" && e.Object == "signing key" && e.Institution != "" {
				renewals++
			}
		}
		if renewals != 2 {
			t.Errorf("%d renewals are in the audit trail, want 2", renewals)
		}
		page, err := c.List(t.Context(), client.Filter{})
		if err != nil || len(page.Data) != 4 {
			t.Fatalf("%d certificates, %v", len(page.Data), err)
		}
		for _, found := range page.Data {
			wantValid(t, c, found)
		}
	})
}

// imported makes a key that is not the home's own make, valid for a year, and imports it.
func imported(t *testing.T, c *adminclient.Client, now time.Time) {
	t.Helper()
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "Registry", now, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ImportKey(t.Context(), append(key, cert...)); err != nil {
		t.Fatal(err)
	}
}

// An imported key is never replaced by itself: staff are reminded 60, 30 and 7 days before its
// end, once each, and when no agent ran then, at the next start.
func TestAnImportedKeyIsWarnedOf(t *testing.T) {
	type step struct{ left, mails int } // days before the end, mails so far
	for name, days := range map[string][]step{
		"always on":            {{61, 0}, {60, 1}, {59, 1}, {30, 2}, {7, 3}, {0, 3}},
		"off at the first two": {{61, 0}, {20, 1}, {7, 2}, {6, 2}},
		"off until the end":    {{61, 0}, {-1, 1}, {-2, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, made := t.TempDir(), time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
			during(t, dir, "UTC", made, func(_ *agent.Agent, c *adminclient.Client) { imported(t, c, made) })
			for _, day := range days {
				during(t, dir, "UTC", made.AddDate(1, 0, -day.left), func(a *agent.Agent, c *adminclient.Client) {
					says := ""
					if day.left < 60 {
						says = "the signing key of Test University end" // ends or ended
					}
					wantKeyProblem(t, c, says)
					if body := ask(a.Handler(), http.MethodGet, "/readyz").Body.String(); says != "" && !strings.Contains(body, says) {
						t.Errorf("/readyz says %s", body)
					}
					wantMails(t, c, vault.MailKeyEnd, day.mails)
				})
			}
		})
	}
}

// The certificate of HTTPS is warned of as imported keys are.
func TestACertificateOfHTTPSThatEndsSoon(t *testing.T) {
	dir := t.TempDir()
	_, cert, err := pdf.NewSelfSigned(rand.Reader, "localhost", time.Now().AddDate(-1, 0, 20), 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "tls.pem")
	if err := os.WriteFile(path, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	c, work := vaultWith(t, filepath.Join(dir, "home"), map[string]string{"VECCTL_TLS_CERT": path, "VECCTL_TLS_KEY": path})
	s, err := c.AgentStatus(t.Context())
	if err != nil || len(s.Problems) != 1 || s.Problems[0].Kind != adminclient.TLSProblem || !strings.Contains(s.Problems[0].Message, "the HTTPS certificate "+path+" ends on ") {
		t.Errorf("%+v, %v", s.Problems, err)
	}
	work()
	wantMails(t, c, vault.MailKeyEnd, 1)
}

// wantMails counts the mails of a kind, once they are there.
func wantMails(t *testing.T, c *adminclient.Client, kind vault.MailKind, want int) {
	t.Helper()
	found := 0
	count := func() bool {
		found = 0
		page, err := c.Mails(t.Context(), adminclient.MailFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			if m.Kind == string(kind) {
				found++
			}
		}
		return found >= want
	}
	if waitFor(t, "the mails", count); found != want {
		t.Errorf("%d mails of the kind %s, want %d", found, kind, want)
	}
}

// problemsOf is what status says of a kind of problems.
func problemsOf(t *testing.T, c *adminclient.Client, kind string) (found string) {
	t.Helper()
	s, err := c.AgentStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Problems {
		if p.Kind == kind {
			found += p.Message
		}
	}
	return found
}

func wantKeyProblem(t *testing.T, c *adminclient.Client, says string) {
	t.Helper()
	found := problemsOf(t, c, adminclient.KeyProblem)
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
	during(t, dir, "UTC", made, func(_ *agent.Agent, c *adminclient.Client) { imported(t, c, made) })
	during(t, dir, "UTC", made.AddDate(1, 0, 1), func(_ *agent.Agent, c *adminclient.Client) {
		if _, err := c.TestKey(t.Context()); err == nil || !strings.Contains(err.Error(), "valid from 2026-05-02 to 2027-05-02") {
			t.Errorf("a key that has ended: %v", err)
		}
	})
}

// With a key that has ended nothing is signed and nothing fails: what was taken waits, and status
// and /readyz say why.
func TestAnEndedKeyPausesIssuing(t *testing.T) {
	dir, made := t.TempDir(), time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	during(t, dir, "UTC", made, func(_ *agent.Agent, c *adminclient.Client) { imported(t, c, made) })
	during(t, dir, "UTC", made.AddDate(1, 0, 1), func(a *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 1)
		q.NoWait = true
		issue(t, c, q)
		const why = "issuing is paused: the signing key of Registry ended on 2027-05-02"
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
