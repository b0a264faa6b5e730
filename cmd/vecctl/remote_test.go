package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
)

// serving runs an agent on the site's home and returns the address of its API.
func (s *site) serving(args ...string) string {
	s.t.Helper()
	cmd := s.command(append([]string{"agent", "--listen", "127.0.0.1:0"}, args...)...)
	out, err := cmd.StdoutPipe()
	must(s.t, err)
	must(s.t, cmd.Start())
	s.t.Cleanup(func() {
		must(s.t, cmd.Process.Signal(syscall.SIGTERM))
		if err := cmd.Wait(); err != nil {
			s.t.Errorf("the agent: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	must(s.t, err)
	words := strings.Fields(line)
	return words[len(words)-1]
}

// newToken makes a token with every permission.
func (s *site) newToken() string {
	s.t.Helper()
	args := []string{"token", "create", "test"}
	for _, p := range []string{"list", "view", "create", "download", "update"} {
		args = append(args, "--permission", "certificate-vault:"+p)
	}
	return strings.TrimSpace(s.done(args...).stdout)
}

// TestBulkElsewhere issues a manifest on another vault, twice.
func TestBulkElsewhere(t *testing.T) {
	t.Parallel()
	there, here := newSite(t), newSite(t)
	there.done("init", "--institution", "There")
	address := there.serving("--drop", t.TempDir())
	token := there.newToken()
	manifest := here.batch(5)
	args := []string{manifest, "--api", address, "--token", token}

	here.want(0, append([]string{"bulk", "--dry-run"}, args...)...).says(t, "5 rows: 5 ready", "Nothing was changed")
	first := here.bulk(0, args...)
	if first.Issued != 5 || first.BatchID == "" {
		t.Fatalf("the first run's report: %+v", first)
	}
	second := here.bulk(0, args...)
	if second.Unchanged != 5 || second.Issued != 0 {
		t.Fatalf("the second run's report: %+v", second)
	}
	wantReport(here, 5)
	for i, row := range second.Rows {
		if row.UUID == "" || row.UUID != first.Rows[i].UUID {
			t.Errorf("row %d: %+v, was %+v", i+1, row, first.Rows[i])
		}
		here.done("verify", filepath.Join(here.out, row.File)).says(t, "There")
	}
	if n := len(there.all()); n != 5 {
		t.Errorf("%d certificates there, want 5", n)
	}
	here.want(4, "bulk", manifest, "--api", address, "--token", "wrong").says(t, "Unauthorized - Invalid API token")

	must(t, os.WriteFile(manifest, []byte("title,name,email,file\nDiploma,Ann,nobody,f00001.pdf\nDiploma,Bob,bob@example.com,f00002.pdf\n"), 0o600))
	here.want(2, append([]string{"bulk"}, args...)...).says(t, "nothing was issued")
	if report := here.bulk(3, append([]string{"--on-error", "skip"}, args...)...); report.Issued != 1 || report.Failed != 1 {
		t.Errorf("skipping: %+v", report)
	}
}

// TestBulkElsewhereShared issues a family's certificates on another vault that lets people share
// addresses: each once, and a certificate that was revoked there is told as that.
func TestBulkElsewhereShared(t *testing.T) {
	t.Parallel()
	there, here := newSite(t), newSite(t)
	there.done("init", "--institution", "There")
	there.done("institution", "set", "--shared-addresses")
	address := there.serving("--drop", t.TempDir())
	args := []string{here.batch(3), "--api", address, "--token", there.newToken()}
	const heading, ann, ewa = "title,name,email,date,file\n", "Diploma,Ann Kowalska,family@example.org,2026-06-01,f00001.pdf\n", "Diploma,Ewa Kowalska,family@example.org,2026-06-01,f00002.pdf\n"
	must(t, os.WriteFile(args[0], []byte(heading+ann), 0o600))
	if report := here.bulk(0, args...); report.Issued != 1 {
		t.Fatalf("Ann: %+v", report)
	}
	must(t, os.WriteFile(args[0], []byte(heading+ann+ewa), 0o600))
	here.want(2, append([]string{"bulk"}, args...)...).says(t, "the address of another person")
	here.env = append(here.env, "VECCTL_ISSUING_SHARED_ADDRESSES=true")
	report := here.bulk(0, args...)
	if report.Issued != 1 || report.Unchanged != 1 || report.Rows[0].UUID == report.Rows[1].UUID {
		t.Fatalf("Ann and Ewa: %+v", report)
	}
	if again := here.bulk(0, args...); again.Unchanged != 2 || again.Rows[0].UUID != report.Rows[0].UUID || again.Rows[1].UUID != report.Rows[1].UUID {
		t.Errorf("again: %+v", again)
	}
	if n := len(there.all()); n != 2 {
		t.Errorf("%d certificates there, want 2", n)
	}
	there.done("revoke", report.Rows[0].UUID, "--reason", "a mistake", "--yes")
	if after := here.bulk(0, args...); after.Revoked != 1 || after.Unchanged != 1 || after.Rows[0].Status != client.RowRevoked {
		t.Errorf("after one was revoked: %+v", after)
	}
}

// TestUpload issues one certificate here and elsewhere.
func TestUpload(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	file := s.file("one.pdf", smallPDF("one", 0))
	args := []string{"upload", file, "--title", "Diploma", "--name", "Zoë Ångström", "--date", "2026-05-02", "--details", "With honours", "-o", "json"}
	var issued client.Certificate
	must(t, json.Unmarshal([]byte(s.done(append(args, "--email", "zoe@example.com")...).stdout), &issued))
	if issued.Status.Value != "approved" || issued.Name != "Zoë Ångström" || issued.IssueDate != "2026-05-02" || issued.Details != "With honours" {
		t.Errorf("issued %+v", issued)
	}
	s.want(2, append(args, "--email", "Zoe@Example.com")...).says(t, "A vault certificate with this email, title, and issue date already exists")
	s.want(2, append(args, "--email", "nobody")...).says(t, "must be a valid email address")
	s.want(2, "upload", file, "--title", "Diploma", "--name", "N").says(t, "--email is missing")
	s.want(2, "upload", filepath.Join(s.docs, "none.pdf"), "--title", "D", "--name", "N", "--email", "a@example.com").says(t, "cannot be opened")
	broken := s.file("broken.pdf", []byte("%PDF-1.7 and nothing more"))
	s.want(1, "upload", broken, "--title", "D", "--name", "N", "--email", "a@example.com").says(t, "failed")

	address := s.serving("--drop", t.TempDir())
	s.done(append(args, "--email", "remote@example.com", "--api", address, "--token", s.newToken())...).says(t, `"value": "approved"`)
	s.done("templates", "-o", "json").says(t, "[]")
	s.done("certificates", "--status", "approved", "-o", "jsonl").says(t, "remote@example.com", "zoe@example.com")
}

// TestInstitutions keeps two institutions in one home apart.
func TestInstitutions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.done("init", "--institution", "First")
	s.done("institution", "add", "Second", "--time-zone", "Asia/Dhaka").says(t, "Second", "Asia/Dhaka")
	s.want(1, "institution", "add", " second ").says(t, "already")
	s.want(2, "institution", "add", "Third", "--time-zone", "Nowhere")
	s.want(1, "institution", "use", "Third").says(t, "institution list")
	manifest := s.batch(2)
	s.want(2, "bulk", manifest).says(t, "first (First), second (Second)", "--institution")
	s.env = append(s.env, "VECCTL_INSTITUTION=first")
	first := s.bulk(0, manifest)
	s.env = append(s.env, "VECCTL_INSTITUTION=second")
	if n := len(s.all()); n != 0 {
		t.Errorf("the second institution sees %d certificates of the first", n)
	}
	s.want(1, "view", first.Rows[0].UUID).says(t, "not found")
	s.out = filepath.Join(s.dir, "second")
	second := s.bulk(0, manifest)
	if second.Issued != 2 {
		t.Errorf("the second institution's report: %+v", second)
	}
	s.done("verify", filepath.Join(s.out, second.Rows[0].File)).says(t, `"Second" signed it`)
	s.env = append(s.env, "VECCTL_INSTITUTION=1")
	if n := len(s.all()); n != 2 {
		t.Errorf("the first institution sees %d certificates, want 2", n)
	}
}

// TestVerifyElsewhere has a vault elsewhere, with the token of one of its
// institutions, judge what another of them issued, and what it never issued.
func TestVerifyElsewhere(t *testing.T) {
	t.Parallel()
	there, here, forger := newSite(t), newSite(t), newSite(t)
	there.done("init", "--institution", "There")
	address := there.serving("--drop", t.TempDir())
	token := there.newToken()
	issued := func(s *site) string {
		var c client.Certificate
		must(t, json.Unmarshal([]byte(s.done("upload", s.file("one.pdf", smallPDF("one", 0)), "--title", "Diploma",
			"--name", "Ada", "--email", "ada@example.com", "-o", "json").stdout), &c))
		path := filepath.Join(s.dir, "verified.pdf")
		s.done("download", c.ReferenceID, "--out", path)
		return path
	}
	there.done("init", "--base-url", address)
	there.done("institution", "add", "College")
	there.env = append(there.env, "VECCTL_INSTITUTION=college")
	here.want(0, "verify", issued(there), "--api", address, "--token", token).says(t, "not issued by the institution of this token")

	forger.env = append(forger.env, "VECCTL_BASE_URL="+address)
	forger.done("init", "--institution", "There")
	here.want(1, "verify", issued(forger), "--api", address, "--token", token).says(t, "Not genuine: its code points to this vault")
}
