package agent_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// Twenty institutions share a home. One has a large batch in the queue before the others come with
// one row each: theirs are issued first, and each sees and keeps its own alone. With VECCTL_LONG
// the batch has 3,000 rows.
func TestTwentyInstitutions(t *testing.T) {
	t.Parallel()
	rows := 400
	if os.Getenv("VECCTL_LONG") != "" {
		rows = 3000
	}
	const others = 19
	dir := t.TempDir()
	during(t, dir, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		for n := range others {
			if _, err := c.AddInstitution(t.Context(), adminclient.Settings{Institution: fmt.Sprintf("School %d", n+1)}); err != nil {
				t.Fatal(err)
			}
		}
	})
	// Nothing is issued before everything waits.
	a, err := agent.Open(t.Context(), agent.Options{Home: home.Dir(dir), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	large := staffOf(t, a, "test-university")
	issue(t, large, manifestOf(t, rows))
	small, requests := make([]*adminclient.Client, others), make([]adminclient.BulkRequest, others)
	for n := range others {
		small[n], requests[n] = staffOf(t, a, fmt.Sprintf("school-%d", n+1)), manifestOf(t, 1)
		issue(t, small[n], requests[n])
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	until := func(what string, is func() bool) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Minute); !is(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s did not come", what)
			}
		}
	}
	for n := range others {
		until("the one row", func() bool { return approvedOf(t, small[n]) == 1 })
	}
	before := approvedOf(t, large)
	t.Logf("%d of %d certificates of the large batch were issued when the last of the %d others was", before, rows, others)
	if before > 150 {
		t.Errorf("the rows of the others waited until %d of %d of the large batch were issued", before, rows)
	}
	until("the large batch", func() bool { return approvedOf(t, large) == rows })
	for n := range others {
		requests[n].NoWait = false
		checkOwn(t, small[n], dir, issue(t, small[n], requests[n]), uint32(n+2))
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// approvedOf counts what an institution has issued.
func approvedOf(t *testing.T, staff *adminclient.Client) int {
	t.Helper()
	page, err := staff.List(t.Context(), client.Filter{Status: "approved", PerPage: 1})
	if err != nil {
		t.Fatal(err)
	}
	return page.Meta.Total
}

// checkOwn checks that an institution has its one certificate, and that the folder of its results
// has no other.
func checkOwn(t *testing.T, staff *adminclient.Client, home string, report client.BulkReport, institution uint32) {
	t.Helper()
	all, err := staff.List(t.Context(), client.Filter{PerPage: 100})
	if err != nil {
		t.Fatal(err)
	}
	if len(all.Data) != 1 || all.Data[0].UUID != report.Rows[0].UUID {
		t.Errorf("institution %d sees %d certificates", institution, len(all.Data))
	}
	files, err := filepath.Glob(filepath.Join(home, "verified", fmt.Sprintf("institution-%d", institution), "*", "*.pdf"))
	if err != nil || len(files) != 1 || !slices.Contains(files, filepath.Join(report.Out, report.Rows[0].File)) {
		t.Errorf("institution %d has the files %q in %s: %v", institution, files, report.Out, err)
	}
}
