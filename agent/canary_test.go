package agent_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	agentbackup "github.com/vecctl/vecctl/agent/backup"
	"github.com/vecctl/vecctl/pkg/backup"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// canaryWords are planted in every field of a person's certificate. No other text has them.
func canaryWords() []string {
	return []string{"Zyxwvut", "Qorvaxil", "qorvaxil-canary", "Brelnidok", "Fyrgomant", "Xid-774433"}
}

// findWords names the files below a folder that have a word, in their name or their raw
// bytes, as it is and in small letters.
func findWords(t *testing.T, folder string, words ...string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if os.IsNotExist(err) || !d.Type().IsRegular() {
			return nil
		}
		body = append(bytes.ToLower(body), []byte(strings.ToLower(path))...)
		for _, word := range words {
			if bytes.Contains(body, []byte(strings.ToLower(word))) {
				found = append(found, word+" in "+path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// plantCanaries issues a batch of which one row is the canary's, fails another for the same
// person, and leaves what the person was refused.
func plantCanaries(t *testing.T, dir string, c *adminclient.Client) {
	t.Helper()
	docs := t.TempDir()
	for _, name := range []string{"Fyrgomant.pdf", "other.pdf"} {
		if err := os.WriteFile(filepath.Join(docs, name), onePage(strings.TrimSuffix(name, ".pdf")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := "certificate_title,full_name,applicant_email,issue_date,details,external_id,file\n" +
		"Diploma of Brelnidok,Zyxwvut Qorvaxil,qorvaxil-canary@example.org,2026-06-01,Fyrgomant details,Xid-774433,Fyrgomant.pdf\n" +
		"Diploma,Other Person,other@example.org,2026-06-01,,,other.pdf\n"
	if _, err := c.Bulk(t.Context(), adminclient.BulkRequest{Name: "spring.csv", Manifest: []byte(text), Files: docs}, func(client.Progress) {}); err != nil {
		t.Fatal(err)
	}
	one := certificateOf(t, c, "qorvaxil-canary@example.org")
	title := "Diploma of Brelnidok, corrected"
	if _, err := c.Reissue(t.Context(), one.UUID, adminclient.Amendment{Changes: vault.Changes{Title: &title}}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the successor", func() bool {
		s, err := c.AgentStatus(t.Context())
		return err == nil && s.Certificates["processing"] == 0
	})
	if _, err := c.SendMails(t.Context()); err != nil {
		t.Fatal(err)
	}
	refused := filepath.Join(dir, "failed", "2026-06-01-spring")
	if err := os.MkdirAll(refused, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		filepath.Join(refused, "rejected.csv"): "certificate_title,full_name,applicant_email,issue_date,file,reason\n" +
			"Diploma,Zyxwvut Qorvaxil,qorvaxil-canary@example.org,2026-06-01,a.pdf,\"the document is missing\"\nDiploma,Other Person,other@example.org,2026-06-01,b.pdf,why\n",
		filepath.Join(refused, "a.pdf"):                       "document of Fyrgomant",
		filepath.Join(refused, "a.pdf.reason.txt"):            "row 1: Zyxwvut Qorvaxil\n",
		filepath.Join(refused, "b.pdf"):                       "document of another",
		filepath.Join(dir, "vault.db.schema-2"):               "a database with Zyxwvut",
		filepath.Join(dir, "failed", "summer.csv.reason.txt"): "summer.csv: row 3: qorvaxil-canary@example.org is there twice\n",
		filepath.Join(dir, "failed", "summer.csv"):            "nonsense, qorvaxil-canary@example.org, \"open",
	} {
		if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Nothing of a person is in the raw bytes of the home after an erasure, nor in a backup that
// is made afterwards.
func TestNothingIsLeftOfAnErasedPerson(t *testing.T) {
	t.Parallel()
	dir, words := t.TempDir(), canaryWords()
	during(t, dir, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		plantCanaries(t, dir, c)
		for _, word := range words {
			if len(findWords(t, dir, word)) == 0 {
				t.Errorf("%s is nowhere before the erasure", word)
			}
		}
		before := findWords(t, filepath.Join(dir, "failed"), words...)
		plan, err := c.PlanErasure(t.Context(), "Qorvaxil-canary@example.org", "")
		if err != nil || !plan.DryRun || len(plan.Certificates) != 2 || len(plan.Destroyed) != 6 {
			t.Errorf("the plan is %+v, %v", plan, err)
		}
		if after := findWords(t, filepath.Join(dir, "failed"), words...); !slices.Equal(after, before) {
			t.Errorf("a dry run leaves %q of %q", after, before)
		}
		if _, err := c.EraseRecipient(t.Context(), "qorvaxil-canary@example.com", ""); !fault.Is(err, fault.NotFound) {
			t.Errorf("an address that nothing was issued to: %v", err)
		}
		done, err := c.EraseRecipient(t.Context(), "qorvaxil-canary@example.org", "")
		if err != nil || len(done.Certificates) != 2 || len(done.Destroyed) != 6 {
			t.Errorf("erased %+v, %v", done, err)
		}
		if again, err := c.EraseRecipient(t.Context(), "qorvaxil-canary@example.org", ""); err != nil || len(again.Certificates) != 0 {
			t.Errorf("erased again: %+v, %v", again, err)
		}
		for _, place := range findWords(t, dir, words...) {
			t.Errorf("left: %s", place)
		}
		if body, err := os.ReadFile(filepath.Join(dir, "failed", "2026-06-01-spring", "rejected.csv")); err != nil || !bytes.Contains(body, []byte("other@example.org")) {
			t.Errorf("another person's refused row is gone: %q, %v", body, err)
		}
		certificateOf(t, c, "other@example.org")

		saved := filepath.Join(t.TempDir(), "home.tar.zst")
		to, err := os.Create(saved)
		if err == nil {
			_, err = c.Backup(t.Context(), adminclient.BackupRequest{}, to)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		restored := filepath.Join(t.TempDir(), "restored")
		if _, _, err := agentbackup.Restore(t.Context(), backup.Chain{Path: saved}, restored, "vault.db"); err != nil {
			t.Fatal(err)
		}
		for _, place := range findWords(t, restored, words...) {
			t.Errorf("restored: %s", place)
		}
	})
}

// An erased person is not brought back by a table, unless the person asks for it.
func TestAnErasedPersonIsNotBroughtBack(t *testing.T) {
	t.Parallel()
	dir, q := t.TempDir(), manifestOf(t, 2)
	q.NoWait, q.Skip = false, true
	during(t, dir, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		bulk(t, c, q)
		if _, err := c.EraseRecipient(t.Context(), "p0@example.org", ""); err != nil {
			t.Fatal(err)
		}
		q.Manifest = bytes.ReplaceAll(q.Manifest, []byte("Diploma"), []byte("Second diploma"))
		report, err := c.Bulk(t.Context(), q, func(client.Progress) {})
		if err != nil || report.Issued != 1 || report.Rows[0].Status != client.RowRejected || !strings.Contains(report.Rows[0].Error, "was erased on") {
			t.Errorf("the report is %+v, %v", report, err)
		}
		if err := c.ReadmitRecipient(t.Context(), "p0@example.org"); err != nil {
			t.Fatal(err)
		}
		if report, err = c.Bulk(t.Context(), q, func(client.Progress) {}); err != nil || report.Issued != 1 {
			t.Errorf("after the person asked: %+v, %v", report, err)
		}
		if err := c.ReadmitRecipient(t.Context(), "p0@example.org"); !fault.Is(err, fault.NotFound) {
			t.Errorf("readmitted twice: %v", err)
		}
	})
}
