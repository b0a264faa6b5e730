package agent_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// wantForgotten fails when a file of a folder has a person in its name or inside.
func wantForgotten(t *testing.T, folder string, of client.Certificate, words ...string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.Contains(d.Name(), of.ReferenceID) {
			t.Errorf("%s is left", path)
		}
		body, err := os.ReadFile(path)
		for _, word := range words {
			if strings.HasSuffix(path, ".csv") && bytes.Contains(body, []byte(word)) {
				t.Errorf("%s names %q", path, word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// certificateOf finds the only certificate of an address.
func certificateOf(t *testing.T, c *adminclient.Client, email string) client.Certificate {
	t.Helper()
	page, err := c.List(t.Context(), client.Filter{Email: email})
	if err != nil || len(page.Data) != 1 {
		t.Fatalf("%d certificates of %s, %v", len(page.Data), email, err)
	}
	return page.Data[0]
}

// Outcomes of an institution besides the first lie in a folder of its own.
func TestErasedOfAnotherInstitution(t *testing.T) {
	t.Parallel()
	dir, q := t.TempDir(), manifestOf(t, 2)
	q.NoWait = false
	during(t, dir, "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		if _, err := c.AddInstitution(t.Context(), adminclient.Settings{Institution: "College"}); err != nil {
			t.Fatal(err)
		}
		c = staffOf(t, a, "college")
		bulk(t, c, q)
		erased := certificateOf(t, c, "p0@example.org")
		if _, err := c.EraseRecipient(t.Context(), "p0@example.org", ""); err != nil {
			t.Fatal(err)
		}
		wantForgotten(t, filepath.Join(dir, "verified"), erased, "Person 0", "p0@example.org")
	})
}

// A recipient is erased while other rows of the batch are still being processed.
func TestErasedWhileTheBatchIsOnItsWay(t *testing.T) {
	t.Parallel()
	dir, q := t.TempDir(), manifestOf(t, 2)
	q.NoWait = false
	var picture bytes.Buffer
	if err := errors.Join(png.Encode(&picture, image.NewGray(image.Rect(0, 0, 600, 800))),
		os.WriteFile(filepath.Join(q.Files, "d1.png"), picture.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	q.Manifest = bytes.ReplaceAll(q.Manifest, []byte("d1.pdf"), []byte("d1.png"))
	goOn := make(chan struct{})
	page := func(w io.Writer, r io.ReaderAt, size int64) error {
		<-goOn
		return pdf.FromImage(w, r, size)
	}
	o := agent.Options{Home: home.Dir(dir), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: time.Now, Log: slog.New(slog.DiscardHandler), ImageToPDF: page}
	running(t, o, func(_ *agent.Agent, c *adminclient.Client) {
		var erased client.Certificate
		report, err := c.Bulk(t.Context(), q, func(p client.Progress) {
			if p.Stage != "issuing" || p.Done != 1 || erased.UUID != "" {
				return
			}
			// The first row's PDF is written, and the second's is not yet made.
			erased = certificateOf(t, c, "p0@example.org")
			if _, err := c.EraseRecipient(t.Context(), "p0@example.org", ""); err != nil {
				t.Error(err)
			}
			close(goOn)
		})
		if err != nil || report.Issued != 2 || erased.UUID == "" {
			t.Fatalf("%+v, %v", report, err)
		}
		if file := report.Rows[0].File; file != "" {
			t.Errorf("the report tells of a file of the erased: %q", file)
		}
		wantForgotten(t, filepath.Join(dir, "verified"), erased, "Person 0", "p0@example.org")
	})
}

// Who was to be erased does not stand in the log when that fails.
func TestFailedErasureIsLoggedWithoutTheAddress(t *testing.T) {
	t.Parallel()
	dir, q := t.TempDir(), manifestOf(t, 1)
	q.NoWait = false
	verified := filepath.Join(dir, "verified")
	var log bytes.Buffer
	o := agent.Options{Home: home.Dir(dir), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil))}
	running(t, o, func(_ *agent.Agent, c *adminclient.Client) {
		bulk(t, c, q)
		if err := errors.Join(os.RemoveAll(verified), os.WriteFile(verified, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.EraseRecipient(t.Context(), "p0@example.org", ""); err == nil {
			t.Error("it was erased")
		}
	})
	if !strings.Contains(log.String(), "a call failed") || strings.Contains(log.String(), "p0@") {
		t.Errorf("the log says:\n%s", log.String())
	}
}

// A dropped batch that is still on its way may be begun again after a crash, and would
// issue the rows of the erased anew.
func TestNobodyIsErasedWhileTheDroppedBatchIsOnItsWay(t *testing.T) {
	t.Parallel()
	dir, q := t.TempDir(), manifestOf(t, 1)
	q.NoWait = false
	during(t, dir, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		bulk(t, c, q)
		staged := filepath.Join(dir, "incoming", "20260601T101500.000-m")
		record := fmt.Sprintf(`{"manifest": "m.csv", "digest": "%x"}`, sha256.Sum256(q.Manifest))
		if err := errors.Join(os.MkdirAll(staged, 0o700), os.WriteFile(filepath.Join(staged, "record.json"), []byte(record), 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.EraseRecipient(t.Context(), "p0@example.org", ""); !fault.Is(err, fault.Illegal) || !strings.Contains(err.Error(), "drop folder") {
			t.Errorf("while the batch is on its way: %v", err)
		}
		certificateOf(t, c, "p0@example.org")
		if err := os.RemoveAll(staged); err != nil {
			t.Fatal(err)
		}
		if _, err := c.EraseRecipient(t.Context(), "p0@example.org", ""); err != nil {
			t.Error(err)
		}
	})
}
