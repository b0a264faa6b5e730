package agent_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// unzip returns the files of a zip.
func unzip(t *testing.T, body []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// exportOf exports what is known of an address.
func exportOf(t *testing.T, c *adminclient.Client, email, person string) (map[string][]byte, adminclient.PersonalData) {
	t.Helper()
	var out bytes.Buffer
	if err := c.ExportRecipient(t.Context(), email, person, &out); err != nil {
		t.Fatal(err)
	}
	files := unzip(t, out.Bytes())
	var data adminclient.PersonalData
	if err := json.Unmarshal(files[adminclient.PersonalDataFile], &data); err != nil {
		t.Fatal(err)
	}
	return files, data
}

// Each word that is planted in a person's records is in the export, and nothing of another.
func TestAllThatIsKnownOfAPersonIsExported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	during(t, dir, "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		plantCanaries(t, dir, c)
		one := certificateOf(t, c, "other@example.org")
		page, err := c.List(t.Context(), client.Filter{Email: "qorvaxil-canary@example.org"})
		if err != nil || len(page.Data) != 2 {
			t.Fatalf("%d certificates, %v", len(page.Data), err)
		}
		latest := page.Data[0]
		visit(t, a).page(strings.TrimPrefix(latest.ShareURL, a.BaseURL()), url.Values{"correction": {"Please write Wishmark"}})
		if _, err := c.Revoke(t.Context(), latest.UUID, "Revokemark"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.SubmitApplication(t.Context(), adminclient.NewApplication{Title: "Applymark", Name: "Zyxwvut Qorvaxil", Email: "qorvaxil-canary@example.org"}); err != nil {
			t.Fatal(err)
		}
		files, data := exportOf(t, c, "Qorvaxil-Canary@example.org", "")
		var all bytes.Buffer
		for name, body := range files {
			all.WriteString(name)
			all.Write(body)
		}
		for _, word := range append(canaryWords(), "Wishmark", "Revokemark", "Applymark", "is there twice", "document of Fyrgomant") {
			if !bytes.Contains(all.Bytes(), []byte(word)) {
				t.Errorf("%s is not in the export", word)
			}
		}
		for _, word := range []string{"other@example.org", "Other Person", "document of another", one.ReferenceID} {
			if bytes.Contains(all.Bytes(), []byte(word)) {
				t.Errorf("%s of another person is in the export", word)
			}
		}
		if len(data.Institutions) != 1 || len(data.Missing) > 0 {
			t.Fatalf("%+v", data)
		}
		about := data.Institutions[0]
		if len(about.Certificates) != 3 || len(about.Mails) == 0 || len(about.Audit) < 3 || len(about.Refused) != 5 || about.Institution != "test-university" {
			t.Errorf("%d certificates, %d mails, %d audit entries, %d refused files of %s", len(about.Certificates), len(about.Mails), len(about.Audit), len(about.Refused), about.Institution)
		}
		if pdf := files["test-university/certificates/"+latest.ReferenceID+".pdf"]; !bytes.HasPrefix(pdf, []byte("%PDF-")) {
			t.Errorf("the verified PDF is %.20q", pdf)
		}
		for _, one := range about.Audit {
			if one.Object == "" && one.Request == "" {
				t.Errorf("an empty entry %+v", one)
			}
		}
		if err := c.ExportRecipient(t.Context(), "nobody@example.org", "", io.Discard); !fault.Is(err, fault.NotFound) {
			t.Errorf("an address that nothing is known of: %v", err)
		}
		if _, err := c.EraseRecipient(t.Context(), "qorvaxil-canary@example.org", ""); err != nil {
			t.Fatal(err)
		}
		left, data := exportOf(t, c, "qorvaxil-canary@example.org", "")
		if len(left) != 1 || len(data.Institutions) != 1 || data.Institutions[0].ErasedAt == nil {
			t.Errorf("after the erasure: %d files, %+v", len(left), data)
		}
	})
}

// An export covers every institution, unless one is named.
func TestExportByInstitution(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	during(t, dir, "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 1)
		q.NoWait = false
		bulk(t, c, q)
		if _, err := c.AddInstitution(t.Context(), adminclient.Settings{Institution: "College"}); err != nil {
			t.Fatal(err)
		}
		college := staffOf(t, a, "college")
		if err := college.ExportRecipient(t.Context(), "p0@example.org", "", io.Discard); !fault.Is(err, fault.NotFound) || !strings.Contains(err.Error(), "test-university") {
			t.Errorf("at the college: %v", err)
		}
		q.Name = "college.csv"
		bulk(t, college, q)
		for who, want := range map[*adminclient.Client][]string{c: {"test-university", "college"}, college: {"college"}, staffOf(t, a, "test-university"): {"test-university"}} {
			_, data := exportOf(t, who, "p0@example.org", "")
			var got []string
			for _, one := range data.Institutions {
				got = append(got, one.Institution)
			}
			if !slices.Equal(got, want) {
				t.Errorf("the institutions are %q, want %q", got, want)
			}
		}
	})
}

// A recipient downloads the same, without who of the staff did what.
func TestARecipientDownloadsTheirData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	during(t, dir, "UTC", time.Now(), func(a *agent.Agent, c *adminclient.Client) {
		plantCanaries(t, dir, c)
		browser := visit(t, a)
		browser.page("/sign-in", url.Values{"email": {"qorvaxil-canary@example.org"}})
		browser.page(strings.TrimPrefix(mailedLink(t, c, dir), a.BaseURL()), url.Values{})
		status, body := browser.page("/me/data", url.Values{})
		if status != http.StatusOK {
			t.Fatalf("%d %.200s", status, body)
		}
		files := unzip(t, []byte(body))
		for _, word := range canaryWords() {
			if !slices.ContainsFunc(slices.Collect(maps.Values(files)), func(b []byte) bool { return bytes.Contains(b, []byte(word)) }) {
				t.Errorf("%s is not in the download", word)
			}
		}
		if bytes.Contains(files[adminclient.PersonalDataFile], []byte("staff (")) {
			t.Error("the download names staff")
		}
	})
}
