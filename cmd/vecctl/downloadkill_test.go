package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
)

// TestDownloadKilled kills a download of a batch again and again, into an archive and into a
// folder, from the home and through the API. What the last run leaves is whole.
func TestDownloadKilled(t *testing.T) {
	t.Parallel()
	rows, kills := 60, 3
	if long() {
		rows, kills = 2000, 25
	}
	s := newSite(t)
	report := s.bulk(0, s.batch(rows))
	base := s.serving()
	api := []string{"--api", base, "--token", s.newToken()}
	want := map[string]string{}
	for _, c := range s.all() {
		want[c.Verified.Name] = c.Verified.SHA256
	}
	random := rand.New(rand.NewPCG(1, 2))
	begun := time.Now()
	s.done(append([]string{"download", "--batch", report.BatchID, "--out", filepath.Join(s.dir, "first.zip")}, api...)...)
	took := time.Since(begun)
	for _, out := range []string{"all.zip", "all"} {
		out = filepath.Join(s.dir, out)
		args := append([]string{"download", "--search", "example", "--out", out, "--json"}, api...)
		for range kills {
			cmd := s.command(args...)
			started := s.start(cmd)
			killer := time.AfterFunc(time.Duration(random.Int64N(int64(took))), func() { _ = cmd.Process.Kill() })
			if r := s.finish(cmd, started); r.code != 0 && r.code != -1 {
				t.Fatalf("between kills: %v", r)
			}
			killer.Stop()
		}
		var saved client.SaveReport
		must(t, json.Unmarshal([]byte(s.done(args...).stdout), &saved))
		if saved.Total != rows || saved.Downloaded+saved.Unchanged != rows || len(saved.Skipped) > 0 {
			t.Errorf("after the kills: %+v", saved)
		}
		got := sumsOf(t, out)
		if len(got) != rows {
			t.Errorf("%s has %d documents, want %d", out, len(got), rows)
		}
		for name, sum := range got {
			if want[name] != sum {
				t.Errorf("%s is another document", name)
			}
		}
	}
}

// sumsOf returns the SHA-256 of the files of an archive or a folder, by name.
func sumsOf(t *testing.T, out string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	add := func(name string, r io.ReadCloser) {
		sum := sha256.New()
		_, err := io.Copy(sum, r)
		must(t, err)
		must(t, r.Close())
		sums[name] = hex.EncodeToString(sum.Sum(nil))
	}
	if z, err := zip.OpenReader(out); err == nil {
		defer z.Close()
		for _, f := range z.File {
			r, err := f.Open()
			must(t, err)
			add(f.Name, r)
		}
		return sums
	}
	entries, err := os.ReadDir(out)
	must(t, err)
	for _, e := range entries {
		f, err := os.Open(filepath.Join(out, e.Name()))
		must(t, err)
		add(e.Name(), f)
	}
	return sums
}
