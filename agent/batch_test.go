package agent_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// during opens an agent whose clock stands still, runs it for some work, and
// closes it, as a command does.
func during(t *testing.T, dir, zone string, now time.Time, work func(*agent.Agent, *adminclient.Client)) {
	t.Helper()
	running(t, agent.Options{
		Home: home.Dir(dir), Institution: vault.Institution{Name: "Test University", TimeZone: zone},
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}, work)
}

// running is during with other options.
func running(t *testing.T, o agent.Options, work func(*agent.Agent, *adminclient.Client)) {
	t.Helper()
	o.Random = rand.Reader
	a, err := agent.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := adminclient.New("http://vecctl.test", client.InProcess(a.Handler()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	work(a, c)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
}

func bulk(t *testing.T, c *adminclient.Client, q adminclient.BulkRequest) client.BulkReport {
	t.Helper()
	report, err := c.Bulk(t.Context(), q, func(client.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A row without a date gets the day on which it was first seen, where the
// institution is, and keeps it: a run after midnight issues nothing again.
func TestUndatedRowsAcrossMidnight(t *testing.T) {
	dir, q := t.TempDir(), manifestOf(t, 3)
	q.NoWait = false
	// Half past ten in Greenwich is half past midnight of the next day in Warsaw.
	before := time.Date(2026, 5, 2, 21, 59, 0, 0, time.UTC)
	for i, now := range []time.Time{before, before.Add(2 * time.Minute), before.AddDate(0, 0, 40)} {
		during(t, dir, "Europe/Warsaw", now, func(_ *agent.Agent, c *adminclient.Client) {
			report := bulk(t, c, q)
			if want := [2]int{3, 0}; i == 0 && [2]int{report.Issued, report.Unchanged} != want {
				t.Fatalf("first run: %d issued, %d unchanged", report.Issued, report.Unchanged)
			}
			if i > 0 && report.Unchanged != 3 {
				t.Fatalf("run %d: %d issued, %d unchanged", i, report.Issued, report.Unchanged)
			}
			page, err := c.List(t.Context(), client.Filter{})
			if err != nil || page.Meta.Total != 3 {
				t.Fatalf("%d certificates, %v", page.Meta.Total, err)
			}
			for _, found := range page.Data {
				if found.IssueDate != "2026-05-02" {
					t.Errorf("issued on %s", found.IssueDate)
				}
			}
		})
	}
	// The same rows with that date written out are the same certificates.
	dated := q
	dated.Manifest = []byte("title,name,email,file,date\nDiploma,Person 1,p1@example.org,d1.pdf,2026-05-02\n")
	during(t, dir, "Europe/Warsaw", before.AddDate(0, 0, 41), func(_ *agent.Agent, c *adminclient.Client) {
		if report := bulk(t, c, dated); report.Unchanged != 1 {
			t.Errorf("%d issued, %d unchanged", report.Issued, report.Unchanged)
		}
	})
}

// A run that takes over what an earlier one accepted must not wait for
// certificates that are settled after it looked them up and before it listens.
func TestARunThatTakesOverAnEarlierOne(t *testing.T) {
	const rows = 20
	q := manifestOf(t, rows)
	q.Manifest = []byte("title,name,email,file,date\n")
	for i := range rows {
		q.Manifest = fmt.Appendf(q.Manifest, "Diploma,Person %d,p%d@example.org,d%d.pdf,2026-05-02\n", i, i, i)
	}
	dir := t.TempDir()
	a, err := agent.Open(t.Context(), agent.Options{
		Home: home.Dir(dir), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.Admin.Bulk(t.Context(), q, func(client.Progress) {}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	q.NoWait = false
	var once sync.Once
	report, err := a.Admin.Bulk(ctx, q, func(p client.Progress) {
		// The rows have been looked up, their documents are being read: now all
		// are processed at once.
		once.Do(func() {
			running.Go(func() { _ = a.Run(ctx) })
			for {
				if s, err := a.Admin.Status(ctx); err != nil || s.Certificates["approved"] == rows {
					return
				}
			}
		})
	})
	if err != nil || report.Issued != rows {
		t.Errorf("%d issued, %v", report.Issued, err)
	}
}

// A folder that one manifest's batch has keeps that one's reports when another
// manifest finds all its rows issued there.
func TestReportsOfAnotherManifest(t *testing.T) {
	dir, q := t.TempDir(), manifestOf(t, 3)
	q.NoWait = false
	during(t, dir, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		bad := q
		bad.Skip = true
		bad.Manifest = append(append([]byte{}, q.Manifest...), "Diploma,Nobody,nobody,d9.pdf\n"...)
		first := bulk(t, c, bad)
		if first.Issued != 3 || first.Failed != 1 {
			t.Fatalf("%+v", first)
		}
		rejected := filepath.Join(first.Out, "rejected.csv")
		if _, err := os.Stat(rejected); err != nil {
			t.Fatal(err)
		}
		if second := bulk(t, c, q); second.Unchanged != 3 || second.Out != first.Out {
			t.Fatalf("%+v", second)
		}
		if _, err := os.Stat(rejected); err != nil {
			t.Errorf("the first manifest's rejected rows are gone: %v", err)
		}
	})
}

// A retry of a batch that does not exist is a mistake and not zero retries.
func TestRetryOfAnUnknownBatch(t *testing.T) {
	during(t, t.TempDir(), "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		if _, err := c.RetryAll(t.Context(), "nosuch"); !fault.Is(err, fault.NotFound) {
			t.Errorf("got %v", err)
		}
		if n, err := c.RetryAll(t.Context(), ""); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}
