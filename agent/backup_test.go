package agent_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	files "github.com/vecctl/vecctl/agent/backup"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// Backups are taken while batches are issued. Each is restored, and in each every
// certificate verifies, those too that were in the middle of it.
func TestBackupsUnderLoad(t *testing.T) {
	backups := 4
	if os.Getenv("VECCTL_LONG") != "" {
		backups = 50
	}
	if n, err := strconv.Atoi(os.Getenv("VECCTL_BACKUPS")); err == nil {
		backups = n
	}
	dir, kept := t.TempDir(), t.TempDir()
	now := time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	during(t, dir, "UTC", now, func(_ *agent.Agent, c *adminclient.Client) {
		load, stop := context.WithCancel(t.Context())
		ended := make(chan int)
		go func() { ended <- keepIssuing(load, t, c, backups*40) }()
		since := ""
		for i := range backups {
			path := filepath.Join(kept, fmt.Sprintf("b%d", i))
			q := adminclient.BackupRequest{}
			if i%3 == 1 { // one in three builds on the one before
				q = requestSince(t, since)
			}
			takeBackup(t, c, q, path)
			since = path
		}
		stop()
		if n := <-ended; n == 0 {
			t.Error("nothing was issued meanwhile")
		}
	})
	before := -1
	for i := range backups {
		n := wantRestorable(t, filepath.Join(kept, fmt.Sprintf("b%d", i)), now)
		if n < before {
			t.Errorf("backup %d has %d certificates, the one before %d", i, n, before)
		}
		before = n
	}
}

// keepIssuing issues small batches until it is told to stop, and returns how many
// certificates there are at most.
func keepIssuing(ctx context.Context, t *testing.T, c *adminclient.Client, most int) (n int) {
	const size = 10
	for n < most && ctx.Err() == nil {
		q := manifestOf(t, size)
		q.NoWait = n%(2*size) == 0
		q.Name = fmt.Sprintf("m%d.csv", n)
		q.Manifest = bytes.ReplaceAll(q.Manifest, []byte("@example.org"), []byte(fmt.Sprintf("@%d.example.org", n)))
		if _, err := c.Bulk(context.WithoutCancel(ctx), q, func(client.Progress) {}); err != nil {
			t.Error(err)
			return n
		}
		n += size
	}
	return n
}

func takeBackup(t *testing.T, c *adminclient.Client, q adminclient.BackupRequest, path string) adminclient.BackupResult {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	result, err := c.Backup(t.Context(), q, f)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func requestSince(t *testing.T, path string) adminclient.BackupRequest {
	t.Helper()
	found, err := backup.Chain{Path: path}.Read(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return adminclient.BackupRequest{Since: &adminclient.BaseBackup{ID: found.Header.ID, File: filepath.Base(path)}, Have: append(found.Sums, found.Elsewhere...)}
}

// wantRestorable restores a backup, lets its agent finish what it finds, and wants
// every certificate approved and its PDF valid.
func wantRestorable(t *testing.T, path string, now time.Time) (certificates int) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	_, missing, err := files.Restore(t.Context(), backup.Chain{Path: path}, dir, home.Dir(dir).Database())
	if err != nil || missing > 0 {
		t.Fatalf("%s: %d documents are missing, %v", path, missing, err)
	}
	during(t, dir, "UTC", now, func(a *agent.Agent, c *adminclient.Client) {
		if a.Created {
			t.Errorf("%s: the home is a new one", path)
		}
		waitFor(t, "certificates to be done", func() bool {
			s, err := c.AgentStatus(t.Context())
			return err == nil && s.Certificates["processing"] == 0
		})
		for n := 1; ; n++ {
			page, err := c.List(t.Context(), client.Filter{Page: n, PerPage: 100})
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range page.Data {
				wantValid(t, c, found)
			}
			if certificates = page.Meta.Total; n >= page.Meta.LastPage {
				break
			}
		}
	})
	return certificates
}

func wantValid(t *testing.T, c *adminclient.Client, found client.Certificate) {
	t.Helper()
	var body bytes.Buffer
	if _, err := c.Download(t.Context(), found.UUID, &body); err != nil {
		t.Errorf("%s is %s: %v", found.ReferenceID, found.Status.Value, err)
		return
	}
	v, err := pdf.Verify(bytes.NewReader(body.Bytes()), int64(body.Len()))
	if err != nil || !v.Valid || v.ReferenceID != found.ReferenceID {
		t.Errorf("%s: %+v, %v", found.ReferenceID, v, err)
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still waiting for %s", what)
		}
	}
}

// Homes of earlier versions open today, and what they issued is valid.
func TestHomesOfEarlierVersions(t *testing.T) {
	homes, err := filepath.Glob(filepath.Join("..", "testdata", "homes", "*.tar.zst"))
	if err != nil || len(homes) < 2 {
		t.Fatalf("%v, %v", homes, err)
	}
	for _, path := range homes {
		t.Run(filepath.Base(path), func(t *testing.T) {
			if n := wantRestorable(t, path, time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)); n != 2 {
				t.Errorf("%d certificates, want 2", n)
			}
		})
	}
}
