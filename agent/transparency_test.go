package agent_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/transparency"
	"github.com/vecctl/vecctl/pkg/vault"
)

// What was revoked, replaced and done is entered in the log, and an auditor can prove it.
func TestRevocationsAreLogged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	began := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	var revoked, replaced string
	during(t, dir, "UTC", began, func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 3)
		q.NoWait = false
		report := bulk(t, c, q)
		if _, err := c.Revoke(t.Context(), report.Rows[1].UUID, "mistaken"); err != nil {
			t.Fatal(err)
		}
		revoked, replaced = report.Rows[1].ReferenceID, report.Rows[2].ReferenceID
	})
	during(t, dir, "UTC", began.Add(30*time.Hour), func(_ *agent.Agent, c *adminclient.Client) {
		name := "Right Name"
		if _, err := c.Reissue(t.Context(), replaced, adminclient.Amendment{Changes: vault.Changes{Name: &name}}); err != nil {
			t.Fatal(err)
		}
	})
	during(t, dir, "UTC", began.Add(31*time.Hour), func(a *agent.Agent, _ *adminclient.Client) {
		site := transparency.Site{Transport: http.DefaultTransport, URL: visit(t, a).base}
		listed, err := transparency.ReadList(t.Context(), site)
		if err != nil || len(listed) != 1 {
			t.Fatalf("the logs are %+v (%v)", listed, err)
		}
		list, err := transparency.ReadRevocations(t.Context(), site, listed[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		log, err := transparency.OpenPublishedLog(t.Context(), site, listed[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		for reference, want := range map[string]time.Time{revoked: began, replaced: began.Add(30 * time.Hour)} {
			line := list.Find(reference)
			if line < 0 {
				t.Fatalf("%s is not in the list %+v", reference, list.Revocations)
			}
			since, err := list.LoggedSince(t.Context(), log, line)
			if err != nil || !since.At.Equal(want) {
				t.Errorf("%s is logged since %v (%v), want %v", reference, since, err, want)
			}
		}
		auditor := transparency.Auditor{Memory: t.TempDir(), At: began}
		found, err := auditor.Audit(t.Context(), site, site.URL)
		if err != nil || len(found) != 1 || found[0].Finding != transparency.Consistent {
			t.Errorf("the audit says %+v (%v)", found, err)
		}
	})
}
