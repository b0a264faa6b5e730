package agent_test

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/client/clienttest"
	"github.com/vecctl/vecctl/pkg/vault"
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
