package agent_test

import (
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

func TestALostSigningKeyIsNotReplaced(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	options := agent.Options{
		Home: home.Dir(dir), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC"},
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
	key := filepath.Join(home.Dir(dir).Keys(), "signing.pem")
	t.Run("issue", func(t *testing.T) {
		c, work := vaultAt(t, dir)
		work()
		q := manifestOf(t, 1)
		q.NoWait = false
		issue(t, c, q)
	})
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := agent.Open(t.Context(), options); !fault.Is(err, fault.Damaged) || !strings.Contains(err.Error(), key) {
		t.Fatalf("opened without its key: %v", err)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a new key was made in silence")
	}
}
