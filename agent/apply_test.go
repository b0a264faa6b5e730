package agent_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
)

// applying runs an agent at which anyone may apply for a diploma.
func applying(t *testing.T, work func(dir string, a *agent.Agent, c *adminclient.Client)) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	during(t, dir, "UTC", time.Date(2026, 5, 2, 12, 0, 0, 0, time.UTC), func(a *agent.Agent, c *adminclient.Client) {
		_, err := c.Configure(t.Context(), adminclient.Settings{ApplicationPolicy: &adminclient.ApplicationPolicy{Who: "anyone", Titles: []string{"Diploma"}}})
		if err != nil {
			t.Fatal(err)
		}
		work(dir, a, c)
	})
}

// application is a form with a file, in order.
func application(email string, evidence []byte) (kind string, body []byte) {
	var sent bytes.Buffer
	parts := multipart.NewWriter(&sent)
	_ = parts.SetBoundary("a-boundary-of-forms")
	for _, field := range [][2]string{{"title", "Diploma"}, {"name", "Ada Lovelace"}, {"email", email}, {"details", "Two\r\nlines"}} {
		_ = parts.WriteField(field[0], field[1])
	}
	w, _ := parts.CreateFormFile("evidence", "transcript.pdf")
	_, _ = w.Write(evidence)
	_ = parts.Close()
	return parts.FormDataContentType(), sent.Bytes()
}

// sends sends a form to the page.
func (v *visitor) sends(kind string, body []byte) (int, string) {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.base+"/apply", bytes.NewReader(body))
	if err != nil {
		v.Fatal(err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	resp, err := v.browser.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		v.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// mailed are the mails in the home's folder, in the order of their sending.
func mailed(t *testing.T, c *adminclient.Client, dir string) (all []string) {
	t.Helper()
	for waiting := 1; waiting > 0; {
		var err error
		if waiting, err = c.SendMails(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "mail", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		plain, _ := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(raw))) // what stands around the parts may not be
		all = append(all, string(plain))
	}
	return all
}

// found is the last text that a pattern finds in mails.
func found(t *testing.T, mails []string, pattern string) string {
	t.Helper()
	last := ""
	for _, m := range mails {
		if text := regexp.MustCompile(pattern).FindString(m); text != "" {
			last = text
		}
	}
	if last == "" {
		t.Fatalf("none of %d mails says %s", len(mails), pattern)
	}
	return last
}

// TestApplicants follows an application from the form over the mail, the staff's
// queue and their decision to the certificate.
func TestApplicants(t *testing.T) {
	applying(t, func(dir string, a *agent.Agent, c *adminclient.Client) {
		v, evidence := visit(t, a), onePage("Ada Lovelace")
		v.sees("/apply", http.StatusOK, "Diploma", "Test University")
		if status, body := v.sends(application("Ada@example.org", evidence)); status != http.StatusOK || !strings.Contains(body, "Look into your mail") {
			t.Fatalf("status %d\n%s", status, body)
		}
		queue := func(status string) client.Page[adminclient.Application] {
			t.Helper()
			page, err := c.Applications(t.Context(), adminclient.ApplicationFilter{Status: status})
			if err != nil {
				t.Fatal(err)
			}
			return page
		}
		if n := len(queue("open").Data); n != 0 {
			t.Fatalf("%d applications wait before the address is proven", n)
		}
		link := strings.TrimPrefix(found(t, mailed(t, c, dir), `http://[^\s"<>]*/apply/confirm/[A-Za-z0-9_-]+`), a.BaseURL())
		v.sees(link, http.StatusOK, "Diploma", "Ada Lovelace")
		if status, body := v.page(link, map[string][]string{}); status != http.StatusOK || !strings.Contains(body, "Your application has been received") {
			t.Fatalf("status %d\n%s", status, body)
		}
		v.sees(link, http.StatusGone)

		waiting := queue("open").Data
		if len(waiting) != 1 {
			t.Fatalf("%d applications wait, want 1", len(waiting))
		}
		one := waiting[0]
		found(t, mailed(t, c, dir), "We have received your application: Diploma")
		if one.Title != "Diploma" || one.Name != "Ada Lovelace" || one.Proof != "mail" || one.Evidence == nil || one.Evidence.Size != int64(len(evidence)) {
			t.Errorf("the application is %+v", one)
		}
		var copied bytes.Buffer
		if _, err := c.ApplicationEvidence(t.Context(), one.UUID, &copied); err != nil || !bytes.Equal(copied.Bytes(), evidence) {
			t.Errorf("the evidence has %d bytes, want %d: %v", copied.Len(), len(evidence), err)
		}
		v.sees("/v/"+one.ReferenceID, http.StatusNotFound)

		// Signed in, the applicant sees how it stands.
		v.page("/sign-in", map[string][]string{"email": {"ada@example.org"}})
		v.page(strings.TrimPrefix(found(t, mailed(t, c, dir), `http://[^\s"<>]*/sign-in/[A-Za-z0-9_-]+`), a.BaseURL()), map[string][]string{})
		v.sees("/me", http.StatusOK, "My applications", ">Received<", one.ReferenceID)
		if _, err := c.ReviewApplication(t.Context(), one.UUID); err != nil {
			t.Fatal(err)
		}
		v.sees("/me", http.StatusOK, ">In review<")
		if _, err := c.ApproveApplication(t.Context(), one.UUID, adminclient.ApplicationApproval{
			File: &adminclient.NewFile{Name: "diploma.pdf", Body: onePage("Diploma of Ada Lovelace")}}); err != nil {
			t.Fatal(err)
		}
		for one.Status.Value != "approved" {
			var err error
			if one, err = c.Application(t.Context(), one.UUID); err != nil || one.Status.Value == "failed" {
				t.Fatalf("%+v: %v", one.Status, err)
			}
		}
		v.sees("/v/"+one.ReferenceID, http.StatusOK, "This certificate is genuine", "Ada Lovelace")
		found(t, mailed(t, c, dir), `http://[^\s"<>]*/c/[a-z0-9]+`)
		v.sees("/me", http.StatusOK, "Certificates: 1", "My applications")

		// The next is handed in while signed in, and rejected.
		if status, body := v.sends(application("", onePage("more"))); status != http.StatusOK || !strings.Contains(body, "My applications") {
			t.Fatalf("status %d\n%s", status, body)
		}
		second := queue("open").Data[0]
		if second.Proof != "account" || second.Email != "ada@example.org" {
			t.Errorf("the application is %+v", second)
		}
		if _, err := c.RejectApplication(t.Context(), second.UUID, "You have one already."); err != nil {
			t.Fatal(err)
		}
		v.sees("/me", http.StatusOK, ">Not accepted<", "You have one already.")
		found(t, mailed(t, c, dir), "You have one already.")
	})
}

// TestHostileApplications sends forms that are none. None is an error of ours, and
// of none is anything kept.
func TestHostileApplications(t *testing.T) {
	applying(t, func(dir string, a *agent.Agent, c *adminclient.Client) {
		evidence := onePage("Ada")
		kind, whole := application("ada@example.org", evidence)
		boundary := "--" + strings.TrimPrefix(kind, "multipart/form-data; boundary=")
		part := func(header, body string) string {
			return boundary + "\r\nContent-Disposition: form-data; " + header + "\r\n\r\n" + body + "\r\n"
		}
		texts := part(`name="title"`, "Diploma") + part(`name="name"`, "Ada") + part(`name="email"`, "ada@example.org")
		file := part(`name="evidence"; filename="a.pdf"`, string(evidence))
		last := boundary + "--\r\n"
		damaged := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("no document "), 1000)...)
		_, large := application("ada@example.org", append(bytes.Clone(evidence), make([]byte, vault.MaxFile+1-len(evidence))...))
		_, huge := application("ada@example.org", make([]byte, 3*vault.MaxFile+1<<20))
		_, broken := application("ada@example.org", damaged)
		tests := []struct {
			name, kind string
			body       []byte
			status     int
			says       string
		}{
			{"nothing", "", nil, 422, "Choose what you apply for."},
			{"no kind", "", whole, 400, "did not arrive whole"},
			{"another kind", "application/octet-stream", whole, 400, "did not arrive whole"},
			{"JSON", "application/json", []byte(`{"title":"Diploma"}`), 400, "did not arrive whole"},
			{"a kind that is none", "multipart/form-data; boundary", whole, 400, "did not arrive whole"},
			{"no boundary", "multipart/form-data", whole, 400, "did not arrive whole"},
			{"a long boundary", "multipart/form-data; boundary=" + strings.Repeat("x", 80), whole, 400, "did not arrive whole"},
			{"another boundary", "multipart/form-data; boundary=other", whole, 400, "did not arrive whole"},
			{"pairs", "application/x-www-form-urlencoded", []byte("title=Diploma&name=Ada&email=ada@example.org&evidence=%25PDF"), 422, "Choose a file as evidence."},
			{"pairs that are none", "application/x-www-form-urlencoded", []byte("title=%zz"), 400, "did not arrive whole"},
			{"cut off at once", kind, whole[:10], 400, "did not arrive whole"},
			{"cut off in a header", kind, whole[:len(boundary)+20], 400, "did not arrive whole"},
			{"cut off in the file", kind, whole[:len(whole)-len(boundary)-100], 400, "did not arrive whole"},
			{"cut off before the end", kind, whole[:len(whole)-4], 400, "did not arrive whole"},
			{"no end", kind, []byte(texts + file), 400, "did not arrive whole"},
			{"two files", kind, []byte(texts + file + file + last), 422, "Choose one file, not several."},
			{"the file first, then no texts", kind, []byte(file + last), 422, "Choose the file once more"},
			{"the file before the texts", kind, []byte(file + texts + last), 422, "Choose the file once more"},
			{"a text that changes behind the file", kind, []byte(texts + file + part(`name="name"`, "") + last), 422, "Write your name"},
			{"a file for a name", kind, []byte(part(`name="name"; filename="x"`, "Ada") + part(`name="title"`, "Diploma") + file + last), 422, "Write your name"},
			{"evidence as text", kind, []byte(texts + part(`name="evidence"`, string(evidence)) + last), 422, "Choose a file as evidence."},
			{"no file name", kind, []byte(texts + part(`name="evidence"; filename=""`, string(evidence)) + last), 422, "Choose a file as evidence."},
			{"an empty file", kind, []byte(texts + part(`name="evidence"; filename="a.pdf"`, "") + last), 422, "This file cannot be used."},
			{"another type", kind, []byte(texts + part(`name="evidence"; filename="a.png"`, string(evidence)) + last), 422, "This file cannot be used."},
			{"a damaged file", kind, broken, 422, "This file cannot be used."},
			{"a large file", kind, large, 422, "The file is larger than 20 MB."},
			{"a huge file", kind, huge, 413, "The file is larger than 20 MB."},
			{"no text at all", kind, []byte(strings.Replace(texts, "Ada", "\xff\xfe\x00", 1) + file + last), 422, "Write your name"},
			{"many parts", kind, []byte(strings.Repeat(part(`name="name"`, "x"), 3000) + texts + last), 422, "Choose a file as evidence."},
			{"a long text", kind, []byte(part(`name="details"`, strings.Repeat("x", 5<<20)) + texts + file + last), 422, "at most 1000"},
		}
		for i, tt := range tests {
			status, body := visitFrom(t, a, i).sends(tt.kind, tt.body)
			if status != tt.status || !strings.Contains(body, tt.says) || !strings.Contains(body, "<form") {
				t.Errorf("%s: status %d, want %d and %q\n%.3000s", tt.name, status, tt.status, tt.says, body)
			}
		}
		if mails := mailed(t, c, dir); len(mails) != 0 {
			t.Errorf("%d mails went out", len(mails))
		}
		if page, err := c.Applications(t.Context(), adminclient.ApplicationFilter{}); err != nil || len(page.Data) != 0 {
			t.Errorf("%d applications, %v", len(page.Data), err)
		}
		// A body that stops in the middle, its connection with it.
		breakOff(t, visit(t, a).base, kind, whole)
	})
}

// visitFrom visits from an address of one's own: callers may apply only so often.
func visitFrom(t *testing.T, a *agent.Agent, n int) *visitor {
	t.Helper()
	public := a.PublicHandler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = fmt.Sprintf("127.0.2.%d:1", n)
		public.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return &visitor{t, server.URL, server.Client()}
}

// breakOff sends the first half of a form.
func breakOff(t *testing.T, base, kind string, whole []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /apply HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(whole), whole[:len(whole)/2])
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")) {
		t.Errorf("a body that breaks off is answered with %.100q, %v", answer, err)
	}
}
