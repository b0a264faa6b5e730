package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
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

// TestBulkReconciles issues manifests on vaults that lose answers, list certificates late, and
// name no batch: the report, the exit code and the folder tell what is in the vault's list.
func TestBulkReconciles(t *testing.T) {
	t.Parallel()
	for name, vaultOf := range map[string]func(testing.TB) *clienttest.Server{"guide": clienttest.Guide, "reference": clienttest.Reference} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			there, here := vaultOf(t), newSite(t)
			manifest := here.batch(18)
			args := func(more ...string) []string {
				return append([]string{manifest, "--api", there.URL, "--token", clienttest.Token}, more...)
			}
			there.Set(clienttest.Faults{LoseBulk: 1, OneDuplicate: true, NoBatch: true, HideFor: 3})
			if r := here.bulk(0, args()...); r.Issued != 18 || r.BatchID != "" {
				t.Errorf("the answer was lost: %+v", r)
			}
			wantReport(here, 18)
			must(t, os.RemoveAll(here.out))
			if r := here.bulk(0, args()...); r.Unchanged != 18 {
				t.Errorf("the next run: %+v", r)
			}
			wantReport(here, 18) // also where no batch is known

			manifest = here.file("late.csv", []byte("title,name,email,date,file\nLate,Ann,ann@example.org,2026-05-01,f00001.pdf\n"))
			there.Set(clienttest.Faults{HideFor: 1 << 30})
			r := here.bulk(3, args("--wait", "1s")...)
			if r.Rows[0].Status != client.RowProcessing || !strings.Contains(r.Rows[0].Error, "does not list it yet") {
				t.Errorf("not listed: %+v", r)
			}
			if r := here.bulk(0, args("--no-wait")...); r.Rows[0].Status != client.RowProcessing {
				t.Errorf("not waited for: %+v", r)
			}
			there.Finish()
			if r := here.bulk(0, args()...); r.Unchanged != 1 || r.Rows[0].File == "" {
				t.Errorf("listed at last: %+v", r)
			}

			manifest = here.file("down.csv", []byte("title,name,email,date,file\nLate,Ann,ann@example.org,2026-05-01,f00001.pdf\nDown,Ben,ben@example.org,2026-05-01,f00002.pdf\n"))
			there.Set(clienttest.Faults{Dates: true, On: "POST /business/certificate-vault/bulk", Refuse: 1 << 30})
			if r := here.bulk(3, args()...); r.Unchanged != 1 || r.Rows[1].Status != client.RowNotIssued || r.Rows[1].Error == "" {
				t.Errorf("a part: %+v", r)
			}
			here.want(2, append([]string{"bulk", "--wait", "1s"}, manifest)...).says(t, "--wait works with --api only")
		})
	}
}

// TestAPICheck says of vaults of both dialects, and of this program's own, what they keep.
func TestAPICheck(t *testing.T) {
	t.Parallel()
	here := newSite(t)
	check := func(code int, url, token string, more ...string) map[string]string {
		t.Helper()
		var found []client.Promise
		must(t, json.Unmarshal([]byte(here.want(code, append([]string{"api", "check", url, "--token", token, "-o", "json"}, more...)...).stdout), &found))
		kept := map[string]string{}
		for _, p := range found {
			kept[p.Name] = string(p.Kept)
			if (p.Kept == client.Kept) != (p.Detail == "") {
				t.Errorf("%+v", p)
			}
		}
		return kept
	}
	want := func(what string, kept map[string]string, promises map[string]string) {
		t.Helper()
		for name, state := range promises {
			if kept[name] != state {
				t.Errorf("%s: %q is kept: %q, want %s", what, name, kept[name], state)
			}
		}
	}
	guide, reference, own := clienttest.Guide(t), clienttest.Reference(t), newSite(t)
	for _, s := range []*clienttest.Server{guide, reference} {
		s.Issue(vault.Content{Title: "D", Name: "N", Email: "n@example.org", IssueDate: "2026-06-01"})
	}
	want("guide", check(0, guide.URL, clienttest.Token), map[string]string{
		"templates are a bare array": "yes", "templates are a page": "no", "the finished are approved": "yes", "the finished are generated": "no",
		"the list is filtered by batch_id": "yes", "a certificate has issue_date": "no", "a verified PDF is downloaded": "yes"})
	want("reference", check(0, reference.URL, clienttest.Token, "--write"), map[string]string{
		"templates are a bare array": "no", "templates are a page": "yes", "the finished are approved": "no", "the finished are generated": "yes",
		"the list is filtered by batch_id": "no", "a certificate has issue_date": "yes", "a duplicate gets 422 and the guide's text": "yes",
		"an upload with the same Idempotency-Key is not made twice": "no", "the certificate is finished": "yes"})
	if n := len(guide.Issued()); n != 1 {
		t.Errorf("without --write, %d certificates", n)
	}
	own.done("init", "--institution", "Own")
	address := own.serving("--drop", t.TempDir())
	kept := check(0, address, own.newToken(), "--write")
	want("own", kept, map[string]string{
		"templates are a bare array": "yes", "the finished are approved": "yes", "another token gets 401 Unauthorized - Invalid API token": "yes",
		"an upload with the same Idempotency-Key is not made twice": "yes", "the certificate is finished": "yes", "an unknown UUID gets 404": "yes"})
	here.want(4, "api", "check", address, "--token", "vec_wrong").says(t, "Invalid API token")
	here.done("api", "check", guide.URL, "--token", clienttest.Token).says(t, "PROMISE")
}
