package contract

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestGuideCalls runs the guide's own calls with curl: host, token, files and the
// IDs that earlier answers gave are put in, and nothing else is changed.
func TestGuideCalls(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	runGuide(newSite(t))
}

// runGuide makes the guide's calls and wants the guide's answers.
func runGuide(s *site) {
	s.Helper()
	dir := s.TempDir()
	for _, name := range []string{"certificate.pdf", "certificate1.pdf"} {
		s.check(os.WriteFile(filepath.Join(dir, name), smallPDF(name), 0o600))
	}
	put := []string{"https://api.vec.digital", s.base, "YOUR_API_TOKEN", s.token, "/path/to/", dir + "/", "--output certificate.pdf", "--output verified.pdf"}
	run := func(name string) answer {
		s.Helper()
		return s.curl(dir, strings.NewReplacer(put...).Replace(s.guideCall(name)))
	}

	templates := s.want(run("templates"), http.StatusOK)
	if string(templates.body) != "[]" {
		s.Errorf("templates: %v", templates)
	}

	uploaded := s.want(run("upload"), http.StatusCreated)
	s.looksLike(uploaded, `{
		"message": "Vault certificate uploaded successfully",
		"data": {
			"certificate_title": "Certificate of Achievement",
			"full_name": "John Smith",
			"applicant_email": "john@example.com",
			"source": { "value": "vault", "label": "Vault" },
			"status": {"value": "processing", "label": "Processing", "description": "Certificate is being processed"}
		}
	}`)
	if !regexp.MustCompile(`^VEC-IC-2\d{3}[0-9A-F]{13}$`).MatchString(uploaded.text("data.reference_id")) {
		s.Errorf("reference ID %q", uploaded.text("data.reference_id"))
	}
	s.looksLike(s.want(run("upload"), http.StatusUnprocessableEntity),
		`{"message": "A vault certificate with this email, title, and issue date already exists"}`)

	first := s.want(run("file"), http.StatusCreated)
	s.looksLike(first, `{"message": "File uploaded successfully", "data": {"file_name": "certificate1.pdf", "mime_type": "application/pdf"}}`)
	second := s.want(run("file"), http.StatusCreated)
	put = append(put, "9e3b101f-c264-4f97-945f-20dfa7163768", first.text("data.file_id"),
		"8d2a0f9e-b1c3-4d86-a570-f12345678901", second.text("data.file_id"))
	// The first entry is the certificate that step 4 issued.
	refused := s.want(run("bulk"), http.StatusUnprocessableEntity)
	if c := refused.complaints(); len(c) != 1 || c["entries.0.applicant_email"] == nil {
		s.Errorf("complaints %v", c)
	}
	put = append(put, "applicant_email]=john@", "applicant_email]=johnny@")
	s.looksLike(s.want(run("bulk"), http.StatusAccepted),
		`{"message": "Bulk vault upload queued for processing", "data": {"total": 2, "status": "processing"}}`)

	put = append(put, "9e7860f0-05d1-4fd0-b3e0-e98e19f1cf15", uploaded.text("data.uuid"))
	s.settled(uploaded.text("data.uuid"))
	s.want(run("download"), http.StatusOK)
	verified, err := os.ReadFile(filepath.Join(dir, "verified.pdf"))
	s.check(err)
	if !bytes.HasPrefix(verified, smallPDF("certificate.pdf")) || len(verified) == len(smallPDF("certificate.pdf")) {
		s.Errorf("the verified PDF of %d bytes does not continue the document", len(verified))
	}
}

// guideCall finds one of the guide's calls.
func (s *site) guideCall(name string) string {
	s.Helper()
	all, err := os.ReadFile("testdata/guide.sh")
	s.check(err)
	_, after, ok := strings.Cut(string(all), "## "+name+" ")
	if !ok {
		s.Fatalf("the guide has no call %q", name)
	}
	call, _, _ := strings.Cut(after[strings.Index(after, "\n"):], "\n##")
	return strings.TrimSpace(call)
}

// curl runs a call; status and headers are written beside the body.
func (s *site) curl(dir, call string) answer {
	s.Helper()
	cmd := exec.Command("sh", "-c", call+` -sS -D headers`)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "no_proxy=*") // the machine's proxy does not know the site
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := cmd.Run(); err != nil {
		s.Fatalf("%v: %s", err, complaints.String())
	}
	headers, err := os.ReadFile(filepath.Join(dir, "headers"))
	s.check(err)
	// Of several answers (100 Continue) the last counts.
	blocks := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(headers), "\r", "")), "\n\n")
	a := answer{body: out.Bytes(), header: http.Header{}}
	for i, line := range strings.Split(blocks[len(blocks)-1], "\n") {
		if i == 0 {
			code, _ := json.Number(strings.Fields(line)[1]).Int64()
			a.status = int(code)
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		a.header.Set(name, value)
	}
	return a
}

// looksLike wants everything of an example in an answer.
func (s *site) looksLike(a answer, example string) {
	s.Helper()
	var want, got any
	s.check(json.Unmarshal([]byte(example), &want))
	s.check(json.Unmarshal(a.body, &got))
	if where := missing(got, want, ""); where != "" {
		s.Errorf("%s is not as in the guide: %s", where, a.body)
	}
}

// missing names the first place where got lacks something of want.
func missing(got, want any, at string) string {
	w, ok := want.(map[string]any)
	if !ok {
		if got != want {
			return at
		}
		return ""
	}
	g, ok := got.(map[string]any)
	if !ok {
		return at
	}
	for name, v := range w {
		if where := missing(g[name], v, at+"."+name); where != "" {
			return where
		}
	}
	return ""
}
