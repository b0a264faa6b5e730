package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// TestKilledAtAnyMoment kills the program without warning at random moments of
// a batch, each time followed by a run of the same command, until the batch has
// been killed often enough. Whatever the moments, each row must have become one
// certificate and one whole file.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	rows, kills, each := 300, 12, 6
	if long() {
		rows, kills, each = 1000, 200, 20
	}
	seed := uint64(20260502)
	if s := os.Getenv("VECCTL_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		must(t, err)
		seed = n
	}
	random := rand.New(rand.NewPCG(seed, 0))
	took := undisturbed(t, rows)
	t.Logf("seed %d; an undisturbed run takes %v", seed, took)
	for killed := 0; killed < kills; {
		s := newSite(t)
		manifest := s.batch(rows)
		for n := 0; n < each && killed < kills; {
			if killAt(s, manifest, moment(random, took)) {
				n++
				killed++
			}
		}
		report := s.bulk(0, manifest)
		if report.Total != rows || report.Issued+report.Unchanged != rows || report.Failed != 0 {
			t.Fatalf("after the kills: %d rows, %d issued, %d unchanged, %d failed", report.Total, report.Issued, report.Unchanged, report.Failed)
		}
		wantWhole(s, report, rows)
		if again := s.bulk(0, manifest); again.Unchanged != rows {
			t.Fatalf("a run after all is done has %d unchanged, want %d", again.Unchanged, rows)
		}
		wantWhole(s, report, rows)
		wantLogged(s, rows)
	}
}

// wantLogged compares the log with the certificates: each PDF proves an entry of its own, and the
// published log has the entry.
func wantLogged(s *site, rows int) {
	s.t.Helper()
	public := filepath.Join(s.dir, "public")
	s.done("export", "site", public)
	s.done("tlog", "audit", public, "--seen", filepath.Join(s.dir, "seen"))
	var found []verdict
	must(s.t, json.Unmarshal([]byte(s.done("verify", "-r", s.out, "--home="+filepath.Join(s.dir, "none"), "--site", public, "-o", "json").stdout), &found))
	entries := map[int64]bool{}
	for _, v := range found {
		l := v.logOf()
		if l == nil || !l.Proven || !strings.Contains(v.Site, "of the published log") {
			s.t.Fatalf("%s is not proven to be in the log: %s %s", v.File, v.Sentence, v.Site)
		}
		entries[*l.Index] = true
	}
	if len(found) != rows || len(entries) != rows {
		s.t.Fatalf("%d PDFs prove %d entries, want %d", len(found), len(entries), rows)
	}
	var logs []adminclient.LogStatus
	must(s.t, json.Unmarshal([]byte(s.done("tlog", "status", "--json").stdout), &logs))
	if len(logs) != 1 || logs[0].Size < int64(rows) || logs[0].Size > int64(rows)+10 { // besides certificates it has statements
		s.t.Fatalf("the logs are %+v, want one of %d certificates", logs, rows)
	}
}

// undisturbed measures a run that nobody kills.
func undisturbed(t *testing.T, rows int) time.Duration {
	s := newSite(t)
	manifest := s.batch(rows)
	begun := time.Now()
	s.bulk(0, manifest)
	return time.Since(begun)
}

// moment draws when to kill: one in five times in the first moments, while the
// home is being made, else at any time of a run.
func moment(random *rand.Rand, took time.Duration) time.Duration {
	if random.IntN(5) == 0 {
		return time.Duration(random.Int64N(int64(60 * time.Millisecond)))
	}
	return time.Duration(random.Int64N(int64(took)))
}

// killAt starts a run and kills it; false when it had ended before.
func killAt(s *site, manifest string, after time.Duration) bool {
	s.t.Helper()
	cmd := s.command("bulk", manifest, "--out", s.out)
	started := s.start(cmd)
	killer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	r := s.finish(cmd, started)
	killer.Stop()
	if r.code != 0 && r.code != -1 {
		s.t.Fatalf("a run between kills failed: %v", r)
	}
	return r.code == -1
}

// wantWhole holds a finished batch to what must be true of it: one certificate
// a row, one whole file a certificate, a report that says so, and no traces of
// what was interrupted.
func wantWhole(s *site, report client.BulkReport, rows int) {
	t := s.t
	t.Helper()
	all := s.all()
	if len(all) != rows {
		t.Fatalf("%d certificates for %d rows", len(all), rows)
	}
	people, references := map[string]bool{}, map[string]bool{}
	files := map[string]client.Certificate{}
	for _, c := range all {
		if c.Status.Value != "approved" || c.Verified == nil {
			t.Fatalf("certificate %s of %s is %s", c.ReferenceID, c.Email, c.Status.Value)
		}
		if people[c.Email] || references[c.ReferenceID] {
			t.Fatalf("%s (%s) has two certificates", c.Email, c.ReferenceID)
		}
		people[c.Email], references[c.ReferenceID] = true, true
		if c.BatchID == nil || *c.BatchID != report.BatchID {
			t.Fatalf("certificate %s is of batch %v, the report of %s", c.ReferenceID, c.BatchID, report.BatchID)
		}
		files[c.Verified.Name] = c
	}
	wantFiles(s, files)
	wantReport(s, rows)
	wantCleanHome(s, rows)
}

func wantFiles(s *site, want map[string]client.Certificate) {
	t := s.t
	t.Helper()
	entries, err := os.ReadDir(s.out)
	must(t, err)
	for _, e := range entries {
		c, ok := want[e.Name()]
		if !ok {
			if e.Name() != "report.csv" && e.Name() != "report.txt" {
				t.Errorf("%s has no business in the folder of the outcome", e.Name())
			}
			continue
		}
		body, err := os.ReadFile(filepath.Join(s.out, e.Name()))
		must(t, err)
		original, err := os.ReadFile(filepath.Join(s.docs, c.File.Name))
		must(t, err)
		if int64(len(body)) != c.Verified.Size || sumOf(body) != c.Verified.SHA256 {
			t.Errorf("%s has %d bytes and hash %s, want %d and %s", e.Name(), len(body), sumOf(body), c.Verified.Size, c.Verified.SHA256)
		}
		if !bytes.HasPrefix(body, original) || sumOf(original) != c.File.SHA256 {
			t.Errorf("%s does not begin with its original", e.Name())
		}
		delete(want, e.Name())
	}
	for name := range want {
		t.Errorf("%s is not in the folder of the outcome", name)
	}
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func wantReport(s *site, rows int) {
	t := s.t
	t.Helper()
	lines := readCSV(t, filepath.Join(s.out, "report.csv"))
	if len(lines) != rows+1 {
		t.Fatalf("report.csv has %d lines, want %d", len(lines), rows+1)
	}
	seen := map[string]bool{}
	for i, line := range lines[1:] {
		if line[0] != strconv.Itoa(i+1) || (line[1] != "issued" && line[1] != "unchanged") || seen[line[3]] {
			t.Fatalf("report.csv says %q", line)
		}
		seen[line[3]] = true
		if _, err := os.Stat(filepath.Join(s.out, line[4])); err != nil {
			t.Fatalf("report.csv names a file that is not there: %v", err)
		}
	}
}

func readCSV(t testing.TB, path string) [][]string {
	t.Helper()
	body, err := os.ReadFile(path)
	must(t, err)
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\uFEFF"))))
	r.FieldsPerRecord = -1
	lines, err := r.ReadAll()
	must(t, err)
	return lines
}

// wantCleanHome wants nothing in the home but what belongs there.
func wantCleanHome(s *site, documents int) {
	t := s.t
	t.Helper()
	blobs := 0
	must(t, filepath.WalkDir(s.home, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(s.home, path)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(name, "blobs"+string(filepath.Separator)) && len(d.Name()) == 64:
			blobs++
		case strings.HasPrefix(name, "mail"+string(filepath.Separator)) && filepath.Ext(name) == ".eml":
		case name == "vault.db", name == "config.yaml", name == "erasures.json", name == filepath.Join("keys", "signing.pem"):
		case filepath.Dir(name) == "log-keys" && (filepath.Ext(name) == ".key" || d.Name() == "place"): // of the institution's log
		case filepath.Dir(name) == "mail" && filepath.Ext(name) == ".eml": // no mail server is set
		default:
			t.Errorf("%s has no business in the home", name)
		}
		return nil
	}))
	if blobs != documents {
		t.Errorf("%d documents are stored, want %d", blobs, documents)
	}
}
