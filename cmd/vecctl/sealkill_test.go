package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/pdf/pkitest"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/open"
	"github.com/vecctl/vecctl/pkg/vault"
)

// TestKilledWhileRenewing kills the program without warning while time stamps are renewed, again
// and again. Each file must be whole at each moment, and renewed once in the end.
func TestKilledWhileRenewing(t *testing.T) {
	t.Parallel()
	rows, kills := 40, 4
	if long() {
		rows, kills = 1000, 12
	}
	random := rand.New(rand.NewPCG(11, 0))
	const day = 24 * time.Hour
	a, err := pkitest.New(nil, 60*day)
	must(t, err)
	defer a.Close()
	s := newSite(t)
	s.done("init", "--no-input")
	s.env = append(s.env, "VECCTL_SIGNING_TIMESTAMPS="+a.TimestampURL(), "VECCTL_SIGNING_ALLOW_PRIVATE=1")
	s.bulk(0, s.batch(rows))
	must(t, a.RenewTimestampKey(900*day))
	killed := 0
	for tries := 0; tries < kills; tries++ {
		cmd := s.command("seal", "renew", "--within", "90d")
		started := s.start(cmd)
		ended := make(chan struct{})
		want := a.Calls("/tsa") + random.IntN(max(rows/kills, 1))
		go func() {
			defer close(ended)
			s.finish(cmd, started)
		}()
		tick := time.NewTicker(time.Millisecond)
		for running := true; running; {
			select {
			case <-ended:
				running = false
			case <-tick.C:
				if a.Calls("/tsa") > want {
					_ = cmd.Process.Kill() // it may have ended
				}
			}
		}
		tick.Stop()
		if cmd.ProcessState.ExitCode() == 0 {
			break // all were renewed before
		}
		killed++
		s.wantSeals(rows, pdf.LevelT, pdf.LevelLTA)
	}
	var last adminclient.SealReport
	for tries := 0; ; tries++ {
		r := s.run("seal", "renew", "--within", "90d", "--json")
		must(t, json.Unmarshal([]byte(r.stdout), &last))
		if last.Owed == 0 {
			break
		}
		if tries == 50 {
			t.Fatalf("files still wait: %v", r)
		}
	}
	s.wantSeals(rows, pdf.LevelLTA)
	if again := s.done("seal", "renew", "--within", "90d", "--json"); json.Unmarshal([]byte(again.stdout), &last) != nil || last.Due != 0 || last.Examined != rows {
		t.Errorf("another run: %v", again)
	}
	t.Logf("%d files, killed %d times, %d time stamps asked for", rows, killed, a.Calls("/tsa"))
}

// wantSeals wants verified PDFs to be whole as they are stored, each at one of some levels, and
// none of them renewed twice.
func (s *site) wantSeals(rows int, levels ...pdf.Level) {
	s.t.Helper()
	dir := home.Dir(s.home)
	db, err := open.Store(open.File(dir.Database()), 10*time.Second)
	must(s.t, err)
	defer db.Close()
	blobs, err := blob.OpenFolder(dir.Blobs())
	must(s.t, err)
	found := 0
	for page := 1; found < rows; page++ {
		list, err := db.List(s.t.Context(), store.Filter{Institution: 1}, page, 500)
		must(s.t, err)
		if len(list.Certificates) == 0 {
			s.t.Fatalf("%d certificates, want %d", found, rows)
		}
		for _, c := range list.Certificates {
			found++
			s.wantSeal(db, blobs, c, levels)
		}
	}
}

func (s *site) wantSeal(db store.Store, blobs *blob.Folder, c vault.Certificate, levels []pdf.Level) {
	s.t.Helper()
	tail, err := db.Tail(s.t.Context(), c.ID)
	must(s.t, err)
	f, err := blobs.Open(s.t.Context(), c.Verified.Document.SHA256)
	must(s.t, err)
	defer f.Close()
	document, err := io.ReadAll(f)
	must(s.t, err)
	file := slices.Concat(document, tail)
	v, err := pdf.Verify(bytes.NewReader(file), int64(len(file)))
	must(s.t, err)
	stamps := 0
	for _, one := range v.Signatures {
		if one.IsTimestamp {
			stamps++
		}
	}
	switch {
	case sumOf(file) != c.Verified.SHA256 || int64(len(file)) != c.Verified.Size():
		s.t.Fatalf("%s is not the file that its record names", c.Reference)
	case !v.Valid || !slices.Contains(levels, v.Level) || string(v.Level) != string(c.Verified.Level):
		s.t.Fatalf("%s: level %s, the record says %s: %s", c.Reference, v.Level, c.Verified.Level, v.Sentence)
	case stamps > 1 || (stamps == 1) != (v.Level == pdf.LevelLTA) || stamps != len(c.Verified.Updates):
		s.t.Fatalf("%s: level %s with %d time stamps of the document", c.Reference, v.Level, stamps)
	}
}
