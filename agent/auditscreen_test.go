package agent_test

import (
	"testing"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// The trail that the screen of one institution shows has nothing of another, and what was done to
// the home; the latest entry is the first.
func TestTheLatestAuditEntriesAreOfOneInstitution(t *testing.T) {
	t.Parallel()
	twoInstitutions(t, func(a *agent.Agent, c *adminclient.Client) {
		for _, name := range []string{"test-university", "college", "test-university"} {
			if _, err := staffOf(t, a, name).CreateToken(t.Context(), adminclient.NewToken{Name: "of " + name, Permissions: []string{"certificate-vault:list"}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.RunRetention(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]int{"test-university": 2, "college": 1} {
			found, err := staffOf(t, a, name).LatestAudit(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			tokens := 0
			for i, e := range found {
				if e.Institution != "" && e.Institution != name {
					t.Errorf("%s sees %+v", name, e)
				}
				if i > 0 && e.Seq >= found[i-1].Seq {
					t.Errorf("%s: entry %d comes after %d", name, e.Seq, found[i-1].Seq)
				}
				if e.Request == "POST /panel/tokens" {
					tokens++
				}
			}
			if tokens != want || len(found) == 0 || found[0].Request != "POST /panel/retention/run" {
				t.Errorf("%s: %d tokens in %+v", name, tokens, found)
			}
			rest, err := staffOf(t, a, name).LatestAudit(t.Context(), found[0].Seq)
			if err != nil || len(rest) != len(found)-1 {
				t.Errorf("%s: %d entries before the first of %d, %v", name, len(rest), len(found), err)
			}
		}
	})
}
