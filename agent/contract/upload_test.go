package contract

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/vault"
)

// TestUploadFields holds every field to its rules; nothing of a refused request
// is kept.
func TestUploadFields(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const title, name, email, date, details, file = "certificate_title", "full_name", "applicant_email", "issue_date", "details", "certificate_file"
	good := map[string]string{title: "Diploma", name: "Ann", email: "a@example.com", date: "2026-06-01", details: ""}
	tests := []struct {
		name  string
		field string
		value string // "-" leaves it out
		want  string
	}{
		{"no title", title, "-", "The certificate title field is required."},
		{"empty title", title, "", "The certificate title field is required."},
		{"blank title", title, " \t ", "The certificate title field is required."},
		{"long title", title, strings.Repeat("ż", 256), "The certificate title field must not be greater than 255 characters."},
		{"title with a line break", title, "a\nb", "The certificate title field must not contain control characters."},
		{"title in another encoding", title, "Z\xfc", "The certificate title field must be valid UTF-8 text."},
		{"no name", name, "-", "The full name field is required."},
		{"long name", name, strings.Repeat("x", 256), "The full name field must not be greater than 255 characters."},
		{"very long name", name, strings.Repeat("żó", 1<<20), "The full name field must not be greater than 255 characters."},
		{"no e-mail", email, "-", "The applicant email field is required."},
		{"no address", email, "ann", "The applicant email field must be a valid email address."},
		{"an address with a name", email, "Ann <a@example.com>", "The applicant email field must be a valid email address."},
		{"long e-mail", email, strings.Repeat("x", 250) + "@example.com", "The applicant email field must not be greater than 255 characters."},
		{"date in another form", date, "01/06/2026", "The issue date field must match the format YYYY-MM-DD."},
		{"no such day", date, "2026-02-30", "The issue date field must match the format YYYY-MM-DD."},
		{"long details", details, strings.Repeat("x", 1001), "The details field must not be greater than 1000 characters."},
		{"details with a zero byte", details, "a\x00b", "The details field must not contain control characters."},
	}
	for _, tt := range tests {
		f := newForm()
		for field, value := range good {
			if field == tt.field {
				value = tt.value
			}
			if value != "-" {
				s.check(f.WriteField(field, value))
			}
		}
		a := s.want(s.post(vaultPath, f.file(file, "c.pdf", smallPDF("x"))), http.StatusUnprocessableEntity)
		if c := a.complaints(); len(c) < 1 || len(c[tt.field]) < 1 || c[tt.field][0] != tt.want || !strings.HasPrefix(a.message(), tt.want) {
			t.Errorf("%s: %v", tt.name, a)
		}
	}
	all := s.want(s.post(vaultPath, newForm()), http.StatusUnprocessableEntity)
	if len(all.complaints()) != 4 || all.message() != "The certificate title field is required. (and 3 more errors)" {
		t.Errorf("an empty form: %v", all)
	}
	s.keptNothing()
}

func TestUploadAccepts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	// Limits count characters after trimming; of two fields with one name the last
	// counts; the file may come first.
	f := newForm().file("certificate_file", `C:\Scans\Żółw.pdf`, smallPDF("x"))
	for _, field := range [][2]string{
		{"full_name", "First"}, {"full_name", "  " + strings.Repeat("ż", 255) + " "}, {"certificate_title", "শংসাপত্র"},
		{"applicant_email", " Ann@Example.com"}, {"details", strings.Repeat("😀", 1000)}, {"unknown", "x"}, {"issue_date", ""},
	} {
		s.check(f.WriteField(field[0], field[1]))
	}
	a := s.want(s.post(vaultPath, f), http.StatusCreated)
	if a.text("data.full_name") != strings.Repeat("ż", 255) || a.text("data.file.name") != "Żółw.pdf" {
		t.Errorf("got %v", a)
	}
	zone, err := time.LoadLocation("Europe/Warsaw")
	s.check(err)
	if got, want := a.text("data.issue_date"), s.clock.now().In(zone).Format(time.DateOnly); got != want {
		t.Errorf("issue date %s, want today, %s", got, want)
	}
	done := s.settled(a.text("data.uuid"))
	if done.text("data.status.value") != "approved" || done.text("data.verified.sha256") == "" || done.text("data.approved_at") == "" {
		t.Errorf("got %v", done)
	}
	d := s.want(s.get(vaultPath+"/"+a.text("data.uuid")+"/download"), http.StatusOK)
	if got := d.header.Get("Content-Disposition"); !strings.Contains(got, `filename="___w-VEC-IC-`) || !strings.Contains(got, "filename*=UTF-8''%C5%BB%C3%B3%C5%82w-VEC-IC-") {
		t.Errorf("Content-Disposition %q", got)
	}
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	pdf := smallPDF("x")
	padded := func(n int) []byte { return append(bytes.Clone(pdf), bytes.Repeat([]byte{'\n'}, n-len(pdf))...) }
	const wrongType = "The certificate file field must be a file of type: pdf, jpg, jpeg, png."
	tests := []struct {
		name, file string
		body       []byte
		want       string
	}{
		{"empty", "c.pdf", nil, "The certificate file field must not be empty: the file has 0 bytes."},
		{"text", "c.pdf", []byte("Dear Sir or Madam"), wrongType},
		{"an Office document", "c.pdf", []byte("PK\x03\x04 and more"), wrongType},
		{"a PDF with another extension", "c.png", pdf, wrongType + " Its content is PDF, but its name ends in .png."},
		{"a PDF with a foreign extension", "c.exe", pdf, wrongType + " Its content is PDF, but its name ends in .exe."},
		{"a PNG that says PDF", "c.pdf", []byte("\x89PNG\r\n\x1a\n and more"), wrongType + " Its content is PNG, but its name ends in .pdf."},
		{"20 MB and one byte", "c.pdf", padded(vault.MaxFile + 1), "The certificate file field must not be greater than 20480 kilobytes."},
		{"30 MB", "c.pdf", padded(30 << 20), "The certificate file field must not be greater than 20480 kilobytes."},
		{"no file name", "", pdf, "The certificate file field is required."},
	}
	for i, tt := range tests {
		a := s.post(vaultPath, person(fmt.Sprintf("p%d@example.com", i)).file("certificate_file", tt.file, tt.body))
		if a.status != http.StatusUnprocessableEntity || a.message() != tt.want {
			t.Errorf("%s: %v", tt.name, a)
		}
	}
	if a := s.post(vaultPath, newForm("certificate_file", "text", "certificate_title", "T", "full_name", "N", "applicant_email", "a@example.com")); a.message() != "The certificate file field must be a file." {
		t.Errorf("a text where the file should be: %v", a)
	}
	s.keptNothing()
	whole := s.want(s.post(vaultPath, person("whole@example.com").file("certificate_file", "c.pdf", padded(vault.MaxFile))), http.StatusCreated)
	if size, _ := whole.get("data.file.size").(float64); size != vault.MaxFile {
		t.Errorf("20 MB: %v", whole)
	}
	if a := s.want(s.post(vaultPath, person("blob@example.com").file("certificate_file", "blob", pdf)), http.StatusCreated); a.text("data.file.name") != "blob.pdf" {
		t.Errorf("a name without an extension: %v", a)
	}
}

// TestFailure takes a document that cannot be stamped to its failure and back.
func TestFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a := s.want(s.post(vaultPath, person("a@example.com").file("certificate_file", "c.pdf", []byte("%PDF-1.7\nand nothing more"))), http.StatusCreated)
	path := vaultPath + "/" + a.text("data.uuid")
	if done := s.settled(a.text("data.uuid")); done.text("data.status.value") != "failed" || done.text("data.failure_reason") == "" {
		t.Fatalf("got %v", done)
	}
	if d := s.want(s.get(path+"/download"), http.StatusNotFound); d.message() != "Verified PDF not found. The certificate may still be processing." {
		t.Errorf("download: %v", d)
	}
	if r := s.want(s.call(http.MethodPost, path+"/retry", nil), http.StatusOK); r.text("data.status.value") != "processing" {
		t.Errorf("retry: %v", r)
	}
	s.settled(a.text("data.uuid"))
	good := s.want(s.upload("b@example.com"), http.StatusCreated).text("data.uuid")
	s.settled(good)
	s.want(s.call(http.MethodPost, vaultPath+"/"+good+"/retry", nil), http.StatusBadRequest)
	if again := s.want(s.upload("a@example.com"), http.StatusUnprocessableEntity); again.complaints()["applicant_email"] == nil {
		t.Errorf("a failed certificate gave up its key: %v", again)
	}
}

// TestBrokenBodies sends what is no request; the agent goes on.
func TestBrokenBodies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	post := func(path, kind, body string) answer {
		t.Helper()
		return s.call(http.MethodPost, path, strings.NewReader(body), header("Content-Type", kind))
	}
	f := person("a@example.com").file("certificate_file", "c.pdf", smallPDF("x"))
	s.check(f.Close())
	cut := f.String()[:f.Len()-40]
	for _, path := range []string{vaultPath, filePath, bulkPath} {
		for _, tt := range []struct {
			kind, body string
			want       int
		}{
			{"multipart/form-data", cut, 400},
			{"multipart/form-data; boundary=x", "no part at all", 400},
			{"multipart/form-data; boundary=x", "--x\r\nno header\r\n\r\n--x--", 400},
			{"multipart/form-data; boundary=" + strings.Repeat("x", 71), "", 400},
			{"application/x-www-form-urlencoded", "a=%zz", 400},
			{"application/json", `{"entries": [`, 400},
			{"application/json", `[]`, 400},
			{"application/json", `{"entries": [{}]} more`, 400},
			{"application/json", strings.Repeat("[", 200_000), 400},
			{"application/json", `{"entries": ` + strings.Repeat(`{"0":`, 100_000), 400},
			{"application/xml", `<a/>`, 415},
			{"", "text", 415},
			{";;;", "text", 415},
		} {
			if a := post(path, tt.kind, tt.body); a.status != tt.want {
				t.Errorf("%s, %s %q: want %d, got %v", path, tt.kind, tt.body, tt.want, a)
			}
		}
	}
	if a := post(vaultPath, f.FormDataContentType(), cut); a.status != 400 {
		t.Errorf("a form that was cut off: %v", a)
	}
	if a := post(vaultPath, "application/json", `{"full_name": 5, "certificate_title": "T"}`); a.complaints()["full_name"][0] != "The full name field must be a string." {
		t.Errorf("a number for a name: %v", a)
	}
	s.halfRequest(f)
	s.keptNothing()
}

// halfRequest sends half of a request and goes.
func (s *site) halfRequest(f *form) {
	s.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	s.check(err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		vaultPath, s.token, f.FormDataContentType(), f.Len(), f.String()[:f.Len()/2])
	s.check(err)
	s.check(conn.(*net.TCPConn).CloseWrite())
	_, err = io.Copy(io.Discard, conn) // until the agent has noticed
	s.check(err)
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	endless := func(r *http.Request) {
		r.ContentLength = 200 << 20
		r.Header.Set("Expect", "100-continue")
		r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	}
	for _, path := range []string{vaultPath, filePath, bulkPath} {
		s.want(s.call(http.MethodPost, path, io.LimitReader(zeros{}, 200<<20), endless), http.StatusRequestEntityTooLarge)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// keptNothing wants no certificate, no document and no temporary file in the home.
func (s *site) keptNothing() {
	s.Helper()
	if n := s.total(); n != 0 {
		s.Errorf("%d certificates were kept", n)
	}
	s.noTemporaryFiles()
	s.check(filepath.WalkDir(filepath.Join(s.home, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			s.Errorf("%s was kept", path)
		}
		return err
	}))
}

func (s *site) noTemporaryFiles() {
	s.Helper()
	left, err := os.ReadDir(filepath.Join(s.home, "blobs", "tmp"))
	s.check(err)
	for _, e := range left {
		s.Errorf("the temporary file %s was left", e.Name())
	}
}

// TestIssuedDocumentsAreRefused submits a verified PDF as the document of other certificates.
func TestIssuedDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	uuid := s.want(s.upload("ann@example.com"), http.StatusCreated).text("data.uuid")
	reference := s.settled(uuid).text("data.reference_id")
	issued := s.want(s.get(vaultPath+"/"+uuid+"/download"), http.StatusOK).body
	before := s.total()
	said := "field cannot be accepted: this is the verified PDF of certificate " + reference + ", which was issued already; use the document that it was made of."
	for _, email := range []string{"ann@example.com", "ben@example.com"} {
		a := s.want(s.post(vaultPath, person(email).file("certificate_file", "c.pdf", issued)), http.StatusUnprocessableEntity)
		if want := "The certificate file " + said; a.message() != want || a.complaints()["certificate_file"][0] != want {
			t.Errorf("%s: %v", email, a)
		}
	}
	a := s.want(s.post(filePath, newForm().file("file", "c.pdf", issued)), http.StatusUnprocessableEntity)
	if a.complaints()["file"][0] != "The file "+said {
		t.Errorf("a file for a bulk request: %v", a)
	}
	again := append(issued, "% saved again\n"...)
	a = s.want(s.post(vaultPath, person("cleo@example.com").file("certificate_file", "c.pdf", again)), http.StatusUnprocessableEntity)
	if !strings.Contains(a.message(), "a copy of the verified PDF, saved again, of certificate "+reference) {
		t.Errorf("saved again: %v", a)
	}
	if n := s.total(); n != before {
		t.Errorf("%d certificates, want %d", n, before)
	}
}
