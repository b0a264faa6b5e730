// Package contract holds a running agent to the documented API: to the guide's
// own calls, and every answer of the tests to the API's description.
package contract

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vecctl/vecctl/agent"
	"github.com/vecctl/vecctl/agent/config"
	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/vault"
	"github.com/vecctl/vecctl/pkg/vault/apiaccess"
)

// site is a running agent and a caller with every permission.
type site struct {
	*testing.T
	agent *agent.Agent
	home  string
	base  string
	token string
	clock *clock
}

// clock is the real one, moved.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time           { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(by time.Duration) { c.ahead.Add(int64(by)) }

func newSite(t *testing.T) *site { return newSiteWith(t, func(*config.Config) {}) }

// newSiteWith is a site with other settings than the usual ones.
func newSiteWith(t *testing.T, change func(*config.Config)) *site {
	t.Helper()
	s := &site{T: t, home: filepath.Join(t.TempDir(), "home"), clock: &clock{}}
	set, err := config.Load(config.Source{Home: s.home})
	s.check(err)
	set.BaseURL, set.Listen, set.Drop.Folder = "https://vec.example.edu", "127.0.0.1:0", t.TempDir()
	change(&set)
	a, err := agent.Open(t.Context(), agent.Options{
		Home: home.Dir(s.home), Config: &set, Command: "test",
		Institution: vault.Institution{Name: "First", TimeZone: "Europe/Warsaw"},
		LockWait:    time.Second, Now: s.clock.now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	s.check(err)
	s.agent = a
	ctx, stop := context.WithCancel(context.Background())
	ended, ready := make(chan error, 1), make(chan string, 1)
	go func() { ended <- a.Serve(ctx, func(_, public string) { ready <- public }) }()
	select {
	case s.base = <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	s.token = s.newToken(permissions()...)
	return s
}

func permissions() []string {
	var all []string
	for _, p := range apiaccess.Permissions() {
		all = append(all, string(p))
	}
	return all
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *site) newToken(may ...string) string {
	s.Helper()
	made, err := s.agent.Admin.CreateToken(s.Context(), adminclient.NewToken{Name: "test", Permissions: may})
	s.check(err)
	return made.Secret
}

// as is the same site for another token.
func (s *site) as(token string) *site {
	other := *s
	other.token = token
	return &other
}

// answer is what a call brought.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// get reads a value of a JSON answer: names and numbers with dots between.
func (a answer) get(path string) any {
	var at any
	if json.Unmarshal(a.body, &at) != nil {
		return nil
	}
	for name := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[name]
		case []any:
			var n int
			if _, err := fmt.Sscan(name, &n); err != nil || n >= len(v) {
				return nil
			}
			at = v[n]
		default:
			return nil
		}
	}
	return at
}

func (a answer) text(path string) string {
	v, _ := a.get(path).(string)
	return v
}

func (a answer) message() string { return a.text("message") }

// complaints are the errors of a 422, sorted by nothing: field to messages.
func (a answer) complaints() map[string][]string {
	var body struct {
		Errors map[string][]string `json:"errors"`
	}
	if json.Unmarshal(a.body, &body) != nil {
		return nil
	}
	return body.Errors
}

// call makes a call and holds the answer to the API's description.
func (s *site) call(method, path string, body io.Reader, edit ...func(*http.Request)) answer {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.base+path, body)
	s.check(err)
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	for _, e := range edit {
		e(req)
	}
	resp, err := http.DefaultClient.Do(req)
	s.check(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	s.check(err)
	a := answer{resp.StatusCode, resp.Header, raw}
	s.conforms(req, a)
	return a
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func (s *site) get(path string, edit ...func(*http.Request)) answer {
	s.Helper()
	return s.call(http.MethodGet, path, nil, edit...)
}

// want fails the test unless an answer has a status.
func (s *site) want(a answer, status int) answer {
	s.Helper()
	if a.status != status {
		s.Fatalf("want status %d, got %v", status, a)
	}
	return a
}

// form is a multipart body in the making.
type form struct {
	bytes.Buffer
	*multipart.Writer
}

func newForm(fields ...string) *form {
	f := &form{}
	f.Writer = multipart.NewWriter(&f.Buffer)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := f.WriteField(fields[i], fields[i+1]); err != nil {
			panic(err)
		}
	}
	return f
}

func (f *form) file(field, name string, body []byte) *form {
	w, err := f.CreateFormFile(field, name)
	if err == nil {
		_, err = w.Write(body)
	}
	if err != nil {
		panic(err)
	}
	return f
}

func (s *site) post(path string, f *form, edit ...func(*http.Request)) answer {
	s.Helper()
	s.check(f.Close())
	return s.call(http.MethodPost, path, bytes.NewReader(f.Bytes()), append(edit, header("Content-Type", f.FormDataContentType()))...)
}

const (
	vaultPath = "/business/certificate-vault"
	bulkPath  = vaultPath + "/bulk"
	filePath  = vaultPath + "/upload-file"
	hashPath  = "/v/by-hash/" // a public page
)

// upload issues one certificate of a person.
func (s *site) upload(email string, edit ...func(*http.Request)) answer {
	s.Helper()
	return s.post(vaultPath, person(email).file("certificate_file", "c.pdf", smallPDF(email)), edit...)
}

func person(email string) *form {
	return newForm("certificate_title", "Diploma", "full_name", "Ann Example", "applicant_email", email, "issue_date", "2026-06-01")
}

func (s *site) uploadFile() string {
	s.Helper()
	return s.want(s.post(filePath, newForm().file("file", "c.pdf", smallPDF("x"))), http.StatusCreated).text("data.file_id")
}

// settled waits until a certificate's processing has ended.
func (s *site) settled(uuid string) answer {
	s.Helper()
	for {
		a := s.want(s.get(vaultPath+"/"+uuid), http.StatusOK)
		if a.text("data.status.value") != "processing" {
			return a
		}
		if s.Context().Err() != nil {
			s.Fatal("the certificate was not processed")
		}
	}
}

// total is how many certificates the caller's institution has.
func (s *site) total() int {
	s.Helper()
	n, _ := s.want(s.get(vaultPath), http.StatusOK).get("meta.total").(float64)
	return int(n)
}

// described reports whether the description knows an address and method.
func described(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, hashPath) || strings.HasPrefix(r.URL.Path, "/business/") && (r.Method == http.MethodGet || r.Method == http.MethodPost)
}

// conforms holds an answer to the API's description.
func (s *site) conforms(r *http.Request, a answer) {
	s.Helper()
	if a.header.Get("X-Request-ID") == "" && !strings.HasPrefix(r.URL.Path, hashPath) {
		s.Errorf("%s %s: the answer has no X-Request-ID", r.Method, r.URL.Path)
	}
	if a.status == http.StatusInternalServerError {
		s.Errorf("%s %s: %v", r.Method, r.URL.Path, a)
	}
	if a.status >= 400 && r.Method != http.MethodHead && a.message() == "" {
		s.Errorf("%s %s: an error without a message: %v", r.Method, r.URL.Path, a)
	}
	if !described(r) || a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotFound && a.message() == "There is nothing at this address." {
		return
	}
	v, err := description()
	s.check(err)
	if err := v.judge(r, a); err != nil {
		s.Errorf("%s %s %v: the description says otherwise: %v", r.Method, r.URL.Path, a, err)
	}
}

// smallPDF is a page with a text that tells it from others.
func smallPDF(text string) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	content := fmt.Sprintf("BT /F1 12 Tf 72 700 Td <%x> Tj ET", text)
	b.WriteString("%PDF-1.4\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>")
	object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}
