package agent_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Nobody who was erased after the backup gets a mail from the restored home, although the mail in
// it is due before the person is erased again.
func TestARestoredHomeMailsNobodyWhoWasErased(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC)
	restored := home.Dir(filepath.Join(t.TempDir(), "restored"))
	at := func(d string, now time.Time) agent.Options {
		return agent.Options{Home: home.Dir(d), Config: configWith(t, d, map[string]string{"VECCTL_MAIL_HOLD": "1h"}),
			Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"}, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	}
	running(t, at(dir, now), func(_ *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 3)
		q.NoWait = false
		issue(t, c, q)
	})
	if err := os.CopyFS(string(restored), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	running(t, at(dir, now), func(_ *agent.Agent, c *adminclient.Client) {
		for _, email := range []string{"p0@example.org", "p1@example.org"} {
			if _, err := c.EraseRecipient(t.Context(), email, ""); err != nil {
				t.Fatal(err)
			}
		}
	})
	if err := restored.AdoptErasures(home.Dir(dir).Erasures()); err != nil {
		t.Fatal(err)
	}
	running(t, at(string(restored), now.Add(2*time.Hour)), func(_ *agent.Agent, c *adminclient.Client) {
		waitFor(t, "the mail to the third", func() bool {
			sent, err := filepath.Glob(filepath.Join(restored.Mail(), "*.eml"))
			return err == nil && len(sent) >= 1
		})
	})
	sent, err := filepath.Glob(filepath.Join(restored.Mail(), "*.eml"))
	if err != nil || len(sent) != 1 {
		t.Fatalf("%d mails were written, %v", len(sent), err)
	}
	if text, err := os.ReadFile(sent[0]); err != nil || !strings.Contains(string(text), "p2@example.org") {
		t.Errorf("a mail to another than the third: %s, %v", text, err)
	}
	if _, err := os.Stat(restored.ErasuresToReapply()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the erasures are not through: %v", err)
	}
}
