package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/wake"
)

// relaying has the commands of a site use a home in front of a vault.
func (s *site) relaying(address, token string) {
	s.env = append(s.env, "VECCTL_RELAY_URL="+address, "VECCTL_RELAY_TOKEN="+token)
}

// TestRelayedFiles has a home in front of another take a batch by command and one by its drop
// folder. Its files are those of the other home, and either says so. The token is in no log.
func TestRelayedFiles(t *testing.T) {
	t.Parallel()
	there, here := newSite(t), newSite(t)
	there.done("init", "--institution", "There")
	address, token := there.serving("--drop", t.TempDir()), there.newToken()
	here.relaying(address, token)
	r := here.bulk(0, here.batch(3))
	if r.Issued != 3 {
		t.Fatalf("%+v", r)
	}
	file := filepath.Join(here.out, r.Rows[1].File)
	here.done("verify", file).says(t, "had it issued by the one at "+address, "approved")
	there.done("verify", file).says(t, "This vault issued it")
	here.done("view", r.Rows[1].UUID).says(t, "issued by", address, "reference id there")
	if got := here.want(1, "revoke", r.Rows[1].UUID, "--reason", "a mistake", "--yes"); !strings.Contains(got.stderr, address) {
		t.Errorf("revoked here: %v", got)
	}
	drop, log := filepath.Join(t.TempDir(), "drop"), filepath.Join(t.TempDir(), "agent.log")
	must(t, os.MkdirAll(filepath.Join(drop, "again"), 0o700))
	here.ready("agent", "--listen", "none", "--drop", drop, "--settle", "50ms", "--log-level", "debug", "--log-file", log)
	must(t, os.WriteFile(filepath.Join(drop, "again", "all.pdf"), smallPDF("all", 0), 0o600))
	must(t, os.WriteFile(filepath.Join(drop, "again", "m.csv"), []byte("title,name,email,date,file\nLetter,Anna Example,anna@example.org,2026-05-31,all.pdf\n"), 0o600))
	for found := 0; found == 0; {
		files, err := filepath.Glob(filepath.Join(here.home, "verified", "*", "all-*.pdf"))
		must(t, err)
		if found = len(files); found > 0 {
			there.done("verify", files[0]).says(t, "Anna Example", "This vault issued it")
		}
		wake.Sleep(t.Context(), 20*time.Millisecond)
	}
	here.done("status").says(t, "issued by", address)
	said, err := os.ReadFile(log)
	must(t, err)
	if strings.Contains(string(said), token) || len(said) == 0 {
		t.Errorf("the log has the token, or nothing: %s", said)
	}
}
