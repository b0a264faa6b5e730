package agent_test

import (
	"bytes"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
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

const canaryEmail = "qorvaxil-canary@example.org"

// placedWords are planted in the places of plantPlaces, one in each.
func placedWords() []string {
	return []string{"Extracolumnword", "Rejectedtitleword", "Uploadedword", "Uploadedfileword", "Applicationword", "Evidencefileword", "Evidencetextword",
		"Unconfirmedword", "Wishword", "Revocationword", "Faileddocumentword"}
}

// plantPlaces plants words about one person in what the home keeps besides a batch: rejected rows
// with other columns, an upload with its stored answer, applications with evidence, a wish for a
// correction, a revocation, a certificate that failed, and a document that a template made.
func plantPlaces(t *testing.T, dir string, a *agent.Agent, c *adminclient.Client) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	addTemplate(t, dir, "letter")
	docs := t.TempDir()
	must(os.WriteFile(filepath.Join(docs, "broken.pdf"), []byte("%PDF-1.4\nFaileddocumentword"), 0o600))
	text := "certificate_title,full_name,applicant_email,issue_date,file,remark\n" +
		"Rejectedtitleword,Zyxwvut Qorvaxil," + canaryEmail + ",2026-13-45,broken.pdf,Extracolumnword\n" +
		"Diploma,Other Person,other@example.org,2026-09-01,good.pdf,nothing\n"
	must(os.WriteFile(filepath.Join(docs, "good.pdf"), onePage("good"), 0o600))
	_, err := c.Bulk(t.Context(), adminclient.BulkRequest{Name: "autumn.csv", Manifest: []byte(text), Files: docs, Skip: true, Map: map[string]string{"remark": "-"}}, func(client.Progress) {})
	must(err)

	made, err := c.CreateToken(t.Context(), adminclient.NewToken{Name: "lms", Permissions: []string{"certificate-vault:create", "certificate-vault:list", "certificate-vault:download"}})
	must(err)
	send := func(file, title string, document []byte) {
		t.Helper()
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		for name, value := range map[string]string{"certificate_title": title, "full_name": "Zyxwvut Qorvaxil", "applicant_email": canaryEmail} {
			must(form.WriteField(name, value))
		}
		part, err := form.CreateFormFile("certificate_file", file)
		must(err)
		_, err = part.Write(document)
		must(err)
		must(form.Close())
		r := httptest.NewRequest(http.MethodPost, "/business/certificate-vault", &body)
		r.RemoteAddr = "127.0.0.1:4711"
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.Header.Set("Authorization", "Bearer "+made.Secret)
		r.Header.Set("Idempotency-Key", "key-"+file)
		w := httptest.NewRecorder()
		if a.PublicHandler().ServeHTTP(w, r); w.Code >= http.StatusBadRequest {
			t.Fatalf("an upload: %d %s", w.Code, w.Body)
		}
	}
	send("Uploadedfileword.pdf", "Uploadedword", onePage("uploaded"))
	send("broken.pdf", "Diploma of a broken file", []byte("%PDF-1.4\nFaileddocumentword\n%%EOF"))
	waitFor(t, "the uploads", func() bool {
		s, err := c.AgentStatus(t.Context())
		return err == nil && s.Certificates["processing"] == 0
	})

	one, err := c.SubmitApplication(t.Context(), adminclient.NewApplication{Title: "Applicationword", Name: "Zyxwvut Qorvaxil", Email: canaryEmail,
		Evidence: &adminclient.NewFile{Name: "Evidencefileword.pdf", Body: onePage("Evidencetextword")}})
	must(err)
	_, err = c.RejectApplication(t.Context(), one.UUID, "not known")
	must(err)
	other, err := c.SubmitApplication(t.Context(), adminclient.NewApplication{Title: "Letter", Name: "Zyxwvut Qorvaxil", Email: canaryEmail})
	must(err)
	_, err = c.ApproveApplication(t.Context(), other.UUID, adminclient.ApplicationApproval{Template: "letter", Fields: map[string]string{"body": "text"}})
	must(err)
	waitFor(t, "the application", func() bool {
		s, err := c.AgentStatus(t.Context())
		return err == nil && s.Certificates["processing"] == 0
	})

	page, err := c.List(t.Context(), client.Filter{Email: canaryEmail, Search: "Uploadedword"})
	must(err)
	if len(page.Data) != 1 {
		t.Fatalf("%d uploads", len(page.Data))
	}
	visit(t, a).page(strings.TrimPrefix(page.Data[0].ShareURL, a.BaseURL()), url.Values{"correction": {"Please write Wishword"}})
	_, err = c.Revoke(t.Context(), page.Data[0].UUID, "Revocationword")
	must(err)
	_, err = c.SendMails(t.Context())
	must(err)
	_, err = c.Configure(t.Context(), adminclient.Settings{ApplicationPolicy: &adminclient.ApplicationPolicy{Who: "anyone", Titles: []string{"Diploma"}}})
	must(err)
	if status, body := visit(t, a).sends(application(canaryEmail, onePage("Unconfirmedword"))); status != http.StatusOK {
		t.Fatalf("an application: %d %s", status, body)
	}
}

// Whatever place of the home names a person, the erasure reaches it: the log file and the
// backup that is made afterwards have nothing either.
func TestEveryPlaceForgetsAnErasedPerson(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	words := append(canaryWords(), placedWords()...)
	log, err := os.Create(filepath.Join(dir, "agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	running(t, agent.Options{Home: home.Dir(dir), Institution: vault.Institution{Name: "Test University", TimeZone: "UTC", Sender: "r@example.org"},
		Now: time.Now, Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, func(a *agent.Agent, c *adminclient.Client) {
		plantCanaries(t, dir, c)
		plantPlaces(t, dir, a, c)
		for _, word := range words {
			if len(findWords(t, dir, word)) == 0 {
				t.Errorf("%s is nowhere before the erasure", word)
			}
		}
		for _, place := range findWords(t, log.Name(), words...) {
			t.Errorf("logged: %s", place)
		}
		if _, err := c.EraseRecipient(t.Context(), canaryEmail, ""); err != nil {
			t.Fatal(err)
		}
		for _, place := range findWords(t, dir, words...) {
			t.Errorf("left: %s", place)
		}
		restored := filepath.Join(t.TempDir(), "restored")
		if _, _, err := agentbackup.Restore(t.Context(), backup.Chain{Path: savedBackup(t, c)}, restored, "vault.db"); err != nil {
			t.Fatal(err)
		}
		for _, place := range findWords(t, restored, words...) {
			t.Errorf("restored: %s", place)
		}
	})
}

// One of two people who share an address was only ever refused: named in rejected rows and in
// refused files. The erasure of that person leaves the other's.
func TestARefusedPersonAtASharedAddressIsErased(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	refused := filepath.Join(dir, "failed", "2026-06-01-family")
	files := map[string]string{
		"rejected.csv": "certificate_title;full_name;applicant_email;issue_date;file;reason\n" +
			"Diploma;Zyxwvut Qorvaxil;family@example.org;2026-06-01;zyx.pdf;why\nDiploma;Other Person;family@example.org;2026-06-01;other.pdf;why\n",
		"zyx.pdf": "document of Zyxwvut", "other.pdf": "document of another",
		"zyx.pdf.reason.txt": "Zyxwvut Qorvaxil, family@example.org: why\n", "other.pdf.reason.txt": "Other Person, family@example.org: why\n",
	}
	during(t, dir, "UTC", time.Now(), func(_ *agent.Agent, c *adminclient.Client) {
		if err := os.MkdirAll(refused, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, body := range files {
			if err := os.WriteFile(filepath.Join(refused, name), []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.EraseRecipient(t.Context(), "family@example.org", "Nobody Known"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a person whom nothing names: %v", err)
		}
		plan, err := c.PlanErasure(t.Context(), "family@example.org", "Zyxwvut Qorvaxil")
		if err != nil || len(plan.Certificates) != 0 || len(plan.Destroyed) != 3 {
			t.Errorf("the plan is %+v, %v", plan, err)
		}
		done, err := c.EraseRecipient(t.Context(), "family@example.org", "zyxwvut qorvaxil")
		if err != nil || len(done.Destroyed) != 3 {
			t.Errorf("erased %+v, %v", done, err)
		}
		for _, place := range findWords(t, dir, "Zyxwvut", "Qorvaxil") {
			t.Errorf("left: %s", place)
		}
		body, err := os.ReadFile(filepath.Join(refused, "rejected.csv"))
		if err != nil || !bytes.Contains(body, []byte("Diploma;Other Person;family@example.org;2026-06-01;other.pdf;why")) {
			t.Errorf("the other's row: %q, %v", body, err)
		}
		for _, name := range []string{"other.pdf", "other.pdf.reason.txt"} {
			if body, err := os.ReadFile(filepath.Join(refused, name)); err != nil || string(body) != files[name] {
				t.Errorf("the other's %s: %q, %v", name, body, err)
			}
		}
		// Without a name, all of the address goes, though nothing was issued to it.
		if done, err = c.EraseRecipient(t.Context(), "family@example.org", ""); err != nil || len(done.Destroyed) != 3 {
			t.Errorf("erased %+v, %v", done, err)
		}
		for _, place := range findWords(t, refused, "Other Person", "another") {
			t.Errorf("left: %s", place)
		}
	})
}
