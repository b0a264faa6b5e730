package agent_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// vaultAt opens an agent on a home of its own and a client of its staff's face.
// The agent works from the call of the function returned on, until the test ends.
func vaultAt(t *testing.T, dir string) (c *adminclient.Client, work func()) {
	t.Helper()
	return vaultWith(t, dir, nil)
}

// configWith are the settings of a home and an environment.
func configWith(t *testing.T, dir string, env map[string]string) *config.Config {
	t.Helper()
	c, err := config.Load(config.Source{Home: dir, File: config.File(home.Dir(dir).Config()), Getenv: func(name string) string { return env[name] }})
	if err != nil {
		t.Fatal(err)
	}
	return &c
}

// vaultWith is vaultAt with settings in an environment.
func vaultWith(t *testing.T, dir string, env map[string]string) (c *adminclient.Client, work func()) {
	t.Helper()
	a, err := agent.Open(t.Context(), agent.Options{
		Home: home.Dir(dir), Config: configWith(t, dir, env), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if c, err = adminclient.New("http://vecctl.test", client.InProcess(a.Handler())); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, func() {
		running.Go(func() {
			if err := a.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
}

// manifestOf writes n documents into a folder and returns the request that
// issues them without waiting.
func manifestOf(t *testing.T, n int) adminclient.BulkRequest {
	t.Helper()
	dir := t.TempDir()
	table := "title,name,email,file\n"
	for i := range n {
		name := fmt.Sprintf("d%d.pdf", i)
		table += fmt.Sprintf("Diploma,Person %d,p%d@example.org,%s\n", i, i, name)
		if err := os.WriteFile(filepath.Join(dir, name), onePage(fmt.Sprintf("Person %d", i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return adminclient.BulkRequest{Name: "m.csv", Manifest: []byte(table), Files: dir, NoWait: true}
}

// onePage is a PDF of one page with a line of text.
func onePage(text string) []byte {
	content := "BT /F 12 Tf 72 700 Td (" + text + ") Tj ET"
	objects := []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
		fmt.Sprintf("<</Length %d>>\nstream\n%s\nendstream", len(content), content),
		"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
	}
	var b strings.Builder
	b.WriteString("%PDF-1.4\n")
	table := "0000000000 65535 f \n"
	for i, o := range objects {
		table += fmt.Sprintf("%010d 00000 n \n", b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table, len(objects)+1, start)
	return []byte(b.String())
}

func issue(t *testing.T, c *adminclient.Client, q adminclient.BulkRequest) client.BulkReport {
	t.Helper()
	report, err := c.Bulk(t.Context(), q, func(client.Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// heard follows the stream until enough has been heard.
func heard(t *testing.T, c *adminclient.Client, after string, enough func(adminclient.Message) bool) (last string) {
	t.Helper()
	done := errors.New("enough")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := c.Follow(ctx, after, func(m adminclient.Message) error {
		if m.ID != "" {
			last = m.ID
		}
		if enough(m) {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) {
		t.Fatalf("the stream ended with %v", err)
	}
	return last
}

func TestTheStreamTellsEverythingOnce(t *testing.T) {
	c, work := vaultAt(t, filepath.Join(t.TempDir(), "home"))
	work()
	const n = 40
	issue(t, c, manifestOf(t, n))
	begun, approved := map[string]bool{}, map[string]bool{}
	snapshots := 0
	last := heard(t, c, "0", func(m adminclient.Message) bool {
		switch {
		case m.Snapshot != nil:
			snapshots++
		case m.Certificate != nil && m.Certificate.Event == string(vault.EventCreated):
			begun[m.Certificate.ReferenceID] = true
		case m.Certificate != nil && m.Certificate.Event == string(vault.EventApproved):
			if approved[m.Certificate.ReferenceID] || !begun[m.Certificate.ReferenceID] {
				t.Errorf("%s is approved twice, or before it began", m.Certificate.ReferenceID)
			}
			approved[m.Certificate.ReferenceID] = true
		}
		return m.Batch != nil && m.Batch.Approved == n && len(approved) == n
	})
	if snapshots != 0 || len(begun) != n {
		t.Errorf("%d snapshots and %d beginnings, want 0 and %d", snapshots, len(begun), n)
	}
	// A client that comes back with the last ID gets what is new and nothing again.
	q := manifestOf(t, 1)
	q.Manifest = []byte("title,name,email,file\nMaster,New Person,new@example.org,d0.pdf\n")
	issue(t, c, q)
	heard(t, c, last, func(m adminclient.Message) bool {
		if m.Certificate != nil && m.Certificate.Name != "New Person" {
			t.Errorf("told again: %+v", m.Certificate)
		}
		return m.Certificate != nil && m.Certificate.Event == string(vault.EventApproved)
	})
}

func TestTheStreamBeginsWithASnapshot(t *testing.T) {
	c, _ := vaultAt(t, filepath.Join(t.TempDir(), "home"))
	issue(t, c, manifestOf(t, 3))
	heard(t, c, "", func(m adminclient.Message) bool {
		if m == (adminclient.Message{}) {
			return false // the stream has begun
		}
		if m.Snapshot == nil {
			t.Fatalf("the first message is %+v", m)
		}
		s := m.Snapshot
		if s.Status.Certificates["processing"] != 3 || len(s.Batches) != 1 || s.Batches[0].Status != "processing" || s.Batches[0].Total != 3 {
			t.Errorf("snapshot %+v", s)
		}
		return true
	})
}

func TestAPausedBatchWaitsAndACancelledOneEnds(t *testing.T) {
	c, work := vaultAt(t, filepath.Join(t.TempDir(), "home"))
	q := manifestOf(t, 5)
	id := issue(t, c, q).BatchID
	act := func(act adminclient.BatchAction, want string) client.Batch {
		t.Helper()
		b, err := c.ActOnBatch(t.Context(), id, act)
		if err != nil || b.Status != want {
			t.Fatalf("%s: %+v, %v", act, b, err)
		}
		return b
	}
	act(adminclient.PauseBatch, "paused")
	if _, err := c.ActOnBatch(t.Context(), id, adminclient.PauseBatch); !fault.Is(err, fault.Illegal) {
		t.Errorf("pausing twice: %v", err)
	}
	work()
	// Another batch is not held up, and shows that the workers had their chance.
	other := manifestOf(t, 1)
	other.Manifest = []byte("title,name,email,file\nMaster,Other,other@example.org,d0.pdf\n")
	other.NoWait = false
	if r := issue(t, c, other); r.Issued != 1 {
		t.Fatalf("the other batch: %+v", r)
	}
	if b := act(adminclient.ResumeBatch, "processing"); b.Processing != 5 {
		t.Errorf("worked on while paused: %+v", b)
	}
	q.NoWait = false
	if r := issue(t, c, q); r.Issued+r.Unchanged != 5 {
		t.Errorf("after it was resumed: %+v", r)
	}
	if b := act(adminclient.CancelBatch, "cancelled"); b.Approved != 5 || b.Failed != 0 {
		t.Errorf("cancelling what is done changed it: %+v", b)
	}
	if _, err := c.ActOnBatch(t.Context(), id, "explode"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an act that does not exist: %v", err)
	}
}

func TestACancelledBatchCanBeTakenUpAgain(t *testing.T) {
	c, work := vaultAt(t, filepath.Join(t.TempDir(), "home"))
	q := manifestOf(t, 4)
	id := issue(t, c, q).BatchID
	if b, err := c.ActOnBatch(t.Context(), id, adminclient.CancelBatch); err != nil || b.Failed != 4 || b.Processing != 0 {
		t.Fatalf("%+v, %v", b, err)
	}
	work()
	q.NoWait = false
	r := issue(t, c, q)
	if r.Failed != 4 || !strings.Contains(r.Rows[0].Error, "cancelled") {
		t.Fatalf("handed in again: %+v", r)
	}
	if page, err := c.Batches(t.Context(), 1, 1); err != nil || page.Data[0].Status != "done" {
		t.Errorf("the batch that was handed in again: %+v, %v", page.Data, err)
	}
	if n, err := c.RetryAll(t.Context(), id); err != nil || n != 4 {
		t.Fatalf("retried %d, %v", n, err)
	}
	if r := issue(t, c, q); r.Issued+r.Unchanged != 4 {
		t.Errorf("after the retry: %+v", r)
	}
}
