package agent_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	agentbackup "github.com/vecctl/vecctl/agent/backup"
	"github.com/vecctl/vecctl/agent/home"
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
		body = append(bytes.ToLower(append(body, inZip(body)...)), []byte(strings.ToLower(path))...)
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

// inZip returns what the files in a zip, such as a workbook, say; nil for another file.
func inZip(body []byte) (all []byte) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil
	}
	for _, f := range z.File {
		if r, err := f.Open(); err == nil {
			text, _ := io.ReadAll(r) // what cannot be read is no text
			all = append(all, text...)
			_ = r.Close()
		}
	}
	return all
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
	if _, err := c.Badge(t.Context(), one.UUID, "json", io.Discard); err != nil {
		t.Fatal(err) // the credential is kept
	}
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

// savedBackup makes a backup and returns its path.
func savedBackup(t *testing.T, c *adminclient.Client) string {
	t.Helper()
	saved := filepath.Join(t.TempDir(), "home.tar.zst")
	to, err := os.Create(saved)
	if err == nil {
		_, err = c.Backup(t.Context(), adminclient.BackupRequest{}, to)
	}
	if err := errors.Join(err, to.Close()); err != nil {
		t.Fatal(err)
	}
	return saved
}

// The protocol of an erasure names nobody, and is signed with the institution's key.
func TestTheProtocolOfAnErasure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	during(t, dir, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		plantCanaries(t, dir, c)
		done, err := c.EraseRecipient(t.Context(), "qorvaxil-canary@example.org", "")
		if err != nil || done.Protocol == nil {
			t.Fatalf("%+v, %v", done, err)
		}
		for _, word := range canaryWords() {
			if bytes.Contains(bytes.ToLower(done.Protocol.Text), []byte(strings.ToLower(word))) {
				t.Errorf("the protocol has %s:\n%s", word, done.Protocol.Text)
			}
		}
		var said adminclient.ErasureProtocol
		if err := json.Unmarshal(done.Protocol.Text, &said); err != nil || said.Kind != adminclient.ErasureProtocolKind || len(said.Certificates) != 2 ||
			said.OtherFiles != 6 || said.Institution != "test-university" || len(said.Person) != 16 || said.ErasedAt.IsZero() || len(said.Left) == 0 {
			t.Errorf("the protocol says %+v, %v", said, err)
		}
		if _, err := exec.LookPath("openssl"); err != nil {
			t.Skip("there is no openssl")
		}
		files := t.TempDir()
		text, signature := filepath.Join(files, "p.json"), filepath.Join(files, "p.json.p7s")
		if err := errors.Join(os.WriteFile(text, done.Protocol.Text, 0o600), os.WriteFile(signature, done.Protocol.Signature, 0o600)); err != nil {
			t.Fatal(err)
		}
		verify := func() error {
			out, err := exec.CommandContext(t.Context(), "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", signature, "-content", text,
				"-CAfile", filepath.Join(dir, "keys", "signing.pem"), "-purpose", "any", "-out", os.DevNull).CombinedOutput()
			if err != nil {
				return fmt.Errorf("%w: %s", err, out)
			}
			return nil
		}
		if err := verify(); err != nil {
			t.Errorf("openssl: %v", err)
		}
		if err := os.WriteFile(text, append(done.Protocol.Text, ' '), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := verify(); err == nil {
			t.Error("openssl takes a protocol that was changed")
		}
	})
}

// Who was erased after a backup is erased again when the backup is restored with the list of
// erasures of the home as it was.
func TestARestoredBackupLosesTheErased(t *testing.T) {
	t.Parallel()
	dir, words := t.TempDir(), canaryWords()
	restored, list := filepath.Join(t.TempDir(), "restored"), filepath.Join(t.TempDir(), "erasures.json")
	during(t, dir, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		plantCanaries(t, dir, c)
		saved := savedBackup(t, c)
		if _, err := c.EraseRecipient(t.Context(), "qorvaxil-canary@example.org", ""); err != nil {
			t.Fatal(err)
		}
		body, err := os.ReadFile(home.Dir(dir).Erasures())
		if err := errors.Join(err, os.WriteFile(list, body, 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := agentbackup.Restore(t.Context(), backup.Chain{Path: saved}, restored, "vault.db"); err != nil {
			t.Fatal(err)
		}
	})
	if len(findWords(t, restored, words...)) == 0 {
		t.Fatal("the backup has nothing of the person")
	}
	foreign := filepath.Join(t.TempDir(), "erasures.json")
	if err := os.WriteFile(foreign, []byte(`{"key":"AAAA","erased":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := home.Dir(restored).AdoptErasures(foreign); !fault.Is(err, fault.Invalid) {
		t.Errorf("the list of another home: %v", err)
	}
	if err := home.Dir(restored).AdoptErasures(list); err != nil {
		t.Fatal(err)
	}
	during(t, restored, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		if n, err := c.ReapplyErasures(t.Context()); err != nil || n > 1 {
			t.Errorf("%d people were erased again, %v", n, err)
		}
		for _, place := range findWords(t, restored, words...) {
			t.Errorf("left: %s", place)
		}
		certificateOf(t, c, "other@example.org")
	})
	if _, err := os.Stat(home.Dir(restored).ErasuresToReapply()); !os.IsNotExist(err) {
		t.Errorf("it is still to be done: %v", err)
	}
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
		third := filepath.Join(t.TempDir(), "third.pdf")
		if err := os.WriteFile(third, onePage("third"), 0o600); err != nil {
			t.Fatal(err)
		}
		document, err := client.FileDocument(third)
		if err != nil {
			t.Fatal(err)
		}
		upload := client.NewCertificate{Content: client.Content{Title: "Third diploma", Name: "Person 0", Email: "P0@example.org"}, File: document}
		if _, err := c.Upload(t.Context(), upload, nil); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "was erased on") {
			t.Errorf("uploaded: %v", err)
		}
		email := "p0@example.org"
		if _, err := c.Reissue(t.Context(), report.Rows[1].UUID, adminclient.Amendment{Changes: vault.Changes{Email: &email}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("reissued: %v", err)
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
