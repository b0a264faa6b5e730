package main

import (
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/vault"
)

// TestDialects runs the commands of the API against a vault of either dialect.
func TestDialects(t *testing.T) {
	t.Parallel()
	for name, vaultOf := range map[string]func(testing.TB) *clienttest.Server{"guide": clienttest.Guide, "reference": clienttest.Reference} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there, here := vaultOf(t), newSite(t)
			there.Issue(vault.Content{Title: "Diploma", Name: "Zoë", Email: "zoe@example.org", IssueDate: "2026-06-01"},
				vault.Content{Title: "Diploma", Name: "Ben", Email: "ben@example.org", IssueDate: "2026-06-01"})
			reference := there.Reference("zoe@example.org")
			done := func(args ...string) string {
				return here.done(append(args, "--api", there.URL, "--token", clienttest.Token)...).stdout
			}
			for _, one := range []struct {
				args, want, never string
			}{
				{"list -o csv", reference + ",approved,", "0001"},
				{"list --status approved --email zoe@example.org -o csv", "Zoë", "Ben"},
				{"list --status processing -o csv", "reference_id", "VEC-IC"},
				{"list -o json", `"value": "approved"`, "0001-01-01"},
				{"certificates -o csv", "zoe@example.org", "0001"},
				{"view " + reference, "Zoë", "0001-01-01"},
				{"view " + reference + " -o json", `"full_name": "Zoë"`, "0001-01-01"},
				{"download " + reference + " --out -", reference, "Ben"},
				{"templates -o csv", "Diploma", "%!"},
				{"batches -o csv", "batch_id", "0001"},
			} {
				if got := done(strings.Fields(one.args)...); !strings.Contains(got, one.want) || strings.Contains(got, one.never) {
					t.Errorf("%s: %s", one.args, got)
				}
			}
			here.want(1, "view", "VEC-IC-2026FFFFFFFFFFFFF", "--api", there.URL, "--token", clienttest.Token).says(t, "not found")
		})
	}
}
