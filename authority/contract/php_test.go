package contract

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/authority"
)

// A client in PHP lives its whole life: asks, waits, is certified, caches, renews up
// and down, is revoked, and asks anew. It takes every 2xx for success and remembers
// that answer, so each of them must hold what it reads later.
func TestAPHPClientsLife(t *testing.T) {
	t.Parallel()
	php, err := exec.LookPath("php")
	if err != nil {
		t.Skip("php is not installed")
	}
	s := newSite(t)
	s.addDomain("phpstore.com", "my-store")
	cache := filepath.Join(t.TempDir(), "cache.json")
	run := func(shot object, action ...string) map[string]string {
		t.Helper()
		raw, err := json.Marshal(shot)
		s.check(err)
		cmd := exec.CommandContext(t.Context(), php, append([]string{"testdata/client.php", s.server.URL, "my-store", s.key, cache}, action...)...)
		cmd.Env = append(cmd.Environ(), "SNAPSHOT="+string(raw))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		said := map[string]string{}
		for line := range strings.Lines(string(out)) {
			name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
			if !ok {
				t.Fatalf("the client says %q", out)
			}
			said[name] = value
		}
		return said
	}
	want := func(got map[string]string, wanted map[string]string) {
		t.Helper()
		for name, value := range wanted {
			if got[name] != value {
				t.Errorf("%s is %q, want %q: %v", name, got[name], value, got)
			}
		}
	}
	lower := snapshot().with("features.currency", false)

	want(run(lower, "request", "elsewhere.com"), map[string]string{"success": "false", "http": "400", "error_code": "INVALID_DOMAIN"})
	want(run(lower, "request", "phpstore.com"), map[string]string{"success": "true", "http": "202", "status": "pending"})
	want(run(lower, "status", "phpstore.com"), map[string]string{"success": "true", "status": "pending", "project_name": "My Store"})
	s.proofs.set("phpstore.com", authority.ByTag)
	s.clock.advance(5 * time.Minute)
	s.office.RunDue(t.Context())
	active := run(lower, "status", "phpstore.com")
	want(active, map[string]string{"status": "active", "badge_code": "VW-CERT-FIN", "badge_name": "Financial Certified", "project_name": "My Store",
		"expires_at": "2027-01-22T10:05:00Z", "features": "reference_governance,financial_reconciliation"})
	want(run(lower, "verify"), map[string]string{"valid": "true", "status": "active", "badge_code": "VW-CERT-FIN"})
	want(run(lower, "request", "phpstore.com"), map[string]string{"success": "false", "http": "409", "error_code": "ALREADY_CERTIFIED"})

	s.clock.set(begun.AddDate(1, 0, -20))
	up := run(snapshot(), "renew")
	want(up, map[string]string{"success": "true", "status": "active", "badge_code": "VW-CERT-CUR", "upgraded": "true", "project_name": "My Store", "expires_at": "2028-01-22T10:05:00Z"})
	want(run(nil, "verify"), map[string]string{"valid": "true"}) // the new hash was cached
	s.clock.set(begun.AddDate(2, 0, -20))
	down := run(snapshot().with("config.financial_reconciliation_enabled", false), "renew")
	want(down, map[string]string{"success": "true", "badge_code": "VW-CERT-GOV", "downgraded": "true", "project_name": "My Store",
		"downgrade_reason": "Financial reconciliation not enabled", "features": "reference_governance"})
	want(run(nil, "revoke", "the shop closes"), map[string]string{"success": "true", "status": "revoked", "reason": "the shop closes"})
	want(run(nil, "verify"), map[string]string{"success": "true", "valid": "false", "status": "revoked", "reason": "the shop closes"})
	want(run(nil, "status", "phpstore.com"), map[string]string{"success": "true", "status": "revoked", "badge_code": "", "revoke_reason": "the shop closes"})
	want(run(snapshot(), "request", "phpstore.com"), map[string]string{"success": "true", "http": "201", "status": "active", "badge_code": "VW-CERT-CUR"})
	s.clock.advance(400 * 24 * time.Hour)
	want(run(nil, "verify"), map[string]string{"valid": "false", "status": "expired"})
	want(run(snapshot(), "renew"), map[string]string{"success": "false", "error_code": "CANNOT_RENEW"})
}
