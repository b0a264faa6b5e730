package agent_test

import (
	"image/png"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// visitor is somebody with a browser.
type visitor struct {
	*testing.T
	base    string
	browser *http.Client
}

func visit(t *testing.T, a *agent.Agent) *visitor {
	t.Helper()
	server := httptest.NewServer(a.PublicHandler())
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, server.URL, &http.Client{Jar: jar}}
}

// page asks for a page, or sends a form, and returns what comes of it.
func (v *visitor) page(path string, form url.Values) (int, string) {
	v.Helper()
	var resp *http.Response
	var err error
	if form == nil {
		resp, err = v.browser.Get(v.base + path)
	} else {
		resp, err = v.browser.PostForm(v.base+path, form)
	}
	if err != nil {
		v.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func (v *visitor) sees(path string, status int, texts ...string) {
	v.Helper()
	got, body := v.page(path, nil)
	if got != status {
		v.Errorf("%s: status %d, want %d", path, got, status)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			v.Errorf("%s does not say %q:\n%.2000s", path, text, body)
		}
	}
}

// TestRecipients follows certificates from the manifest over the mail to their
// owner's account, and through correction, revocation and erasure.
func TestRecipients(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home")
	during(t, dir, "UTC", time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC), func(a *agent.Agent, c *adminclient.Client) {
		q := manifestOf(t, 4)
		q.NoWait = false
		text := strings.NewReplacer("p0@", "ada@", "p1@", "Ada@", "p2@", "ADA@", "Diploma,Person 1", "Second,Person 1", "Diploma,Person 2", "Third,Person 2").
			Replace(string(q.Manifest))
		q.Manifest = []byte(text)
		report := bulk(t, c, q)
		v := visit(t, a)
		first, err := c.Certificate(t.Context(), report.Rows[0].UUID)
		if err != nil {
			t.Fatal(err)
		}
		verify, share := "/v/"+first.ReferenceID, strings.TrimPrefix(first.ShareURL, a.BaseURL())
		if !strings.HasPrefix(share, "/c/") || first.VerifyURL != a.BaseURL()+verify {
			t.Fatalf("addresses %s and %s", first.ShareURL, first.VerifyURL)
		}
		v.sees(verify, http.StatusOK, "This certificate is genuine", first.Verified.SHA256)
		v.sees(share, http.StatusOK, "Sign up")
		_, document := v.page(share+"/certificate.pdf", nil)
		if int64(len(document)) != first.Verified.Size {
			t.Errorf("the document has %d bytes, want %d", len(document), first.Verified.Size)
		}
		if pdf.CanPreview() {
			_, picture := v.page(share+"/page.png", nil)
			if size, err := png.DecodeConfig(strings.NewReader(picture)); err != nil || max(size.Width, size.Height) != 1400 {
				t.Errorf("the picture has %+v: %v", size, err)
			}
		}

		v.page("/sign-in", url.Values{"email": {"ada@example.org"}})
		link := strings.TrimPrefix(mailedLink(t, c, dir), a.BaseURL())
		v.sees(link, http.StatusOK, "Sign in on this device")
		if _, body := v.page(link, url.Values{}); !strings.Contains(body, "Certificates: 3") || !strings.Contains(body, "Second") || !strings.Contains(body, "Third") {
			t.Errorf("after signing in:\n%s", body)
		}

		v.page(share, url.Values{"correction": {"Two n"}})
		if found, err := c.Corrections(t.Context(), false); err != nil || len(found) != 1 || found[0].Text != "Two n" {
			t.Errorf("corrections %+v, %v", found, err)
		} else if s, err := c.AgentStatus(t.Context()); err != nil || s.Corrections != 1 {
			t.Errorf("the status tells of %d corrections, %v", s.Corrections, err)
		} else if _, err := c.FinishCorrection(t.Context(), found[0].ID); err != nil {
			t.Error(err)
		}
		mended := "Personn 0"
		next, err := c.Reissue(t.Context(), first.UUID, adminclient.Amendment{Changes: vault.Changes{Name: &mended}})
		if err != nil {
			t.Fatal(err)
		}
		v.sees(verify, http.StatusOK, "This certificate has been replaced", next.ReferenceID)
		if _, err := c.Revoke(t.Context(), report.Rows[1].UUID, "Awarded in error"); err != nil {
			t.Fatal(err)
		}
		v.sees("/me", http.StatusOK, "Revoked", "Replaced")
		v.sees("/v/"+report.Rows[1].ReferenceID, http.StatusOK, "has been revoked", "Awarded in error")
		// The successor must be ready before it can be erased.
		for ready := false; !ready; {
			now, err := c.Certificate(t.Context(), next.UUID)
			if err != nil {
				t.Fatal(err)
			}
			ready = now.Status.Value == "approved"
		}
		v.sees("/v/"+next.ReferenceID, http.StatusOK, "is genuine", "Personn 0", first.ReferenceID)
		if _, err := c.EraseRecipient(t.Context(), "ada@example.org", ""); err != nil {
			t.Fatal(err)
		}
		v.sees(verify, http.StatusOK, "has been withdrawn")
		v.sees(share, http.StatusNotFound)
		v.sees("/me", http.StatusOK, "Send me the link")
	})
}

// mailedLink is the sign-in link in the last mail that was written into the home.
func mailedLink(t *testing.T, c *adminclient.Client, dir string) string {
	t.Helper()
	for {
		waiting, err := c.SendMails(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if waiting == 0 {
			break
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "mail", "*.eml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no mails: %v", err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		plain, _ := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(raw)))) // what stands around the parts may not be
		if found := regexp.MustCompile(`http://[^\s"<>]*/sign-in/[A-Za-z0-9_-]+`).Find(plain); found != nil {
			return string(found)
		}
	}
	t.Fatalf("of %d mails none has the link", len(files))
	return ""
}
