package contract

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/client"
)

// TestReferenceCalls makes the calls that VEC.digital's published reference has besides the
// guide's. Each answer is compared with the description.
func TestReferenceCalls(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.client(http.DefaultTransport)
	file, err := c.UploadFile(t.Context(), document("ann"), "", nil)
	s.check(err)
	accepted, err := c.SubmitBulk(t.Context(), []client.BulkEntry{{Content: client.Content{Title: "Diploma", Name: "Ann", Email: "a@example.com", IssueDate: "2026-06-01"}, FileID: file.FileID}}, "")
	s.check(err)
	page, err := c.List(t.Context(), client.Filter{})
	s.check(err)
	one := page.Data[0]
	s.settled(one.UUID)

	var batch struct{ Data client.Batch }
	s.check(json.Unmarshal(s.want(s.get("/business/batches/"+accepted.BatchID), http.StatusOK).body, &batch))
	if b := batch.Data; b.ID != accepted.BatchID || b.BatchID != b.ID || *b.TotalCertificates != 1 || *b.ProcessedCertificates != 1 || *b.FailedCertificates != 0 || *b.Progress != 100 {
		t.Errorf("the batch: %+v", b)
	}
	for path, status := range map[string]int{
		"/business/batches/none":                           http.StatusNotFound,
		"/business/certificates/" + one.UUID:               http.StatusOK,
		"/business/certificates/" + one.ReferenceID:        http.StatusOK,
		"/business/certificates/none":                      http.StatusNotFound,
		"/business/certificate-templates/none":             http.StatusNotFound,
		"/business/certificate-vault?status=generated":     http.StatusOK,
		"/business/batches?status=completed":               http.StatusOK,
		"/business/batches?status=nonsense":                http.StatusUnprocessableEntity,
		"/business/certificates?issue_date_from=yesterday": http.StatusUnprocessableEntity,
		"/business/certificate-vault/" + one.UUID + "/":    http.StatusOK,
		"/business/certificate-vault/?status=generated":    http.StatusOK,
	} {
		a := s.get(path)
		if a.status != status {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		if strings.Contains(path, "generated") && !strings.Contains(string(a.body), `"value":"approved"`) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	for query, want := range map[string]int{
		"certificates?issue_date_from=2026-06-01&issue_date_to=2026-06-01": 1, "certificates?issue_date_from=2026-06-02": 0, "certificates?issue_date_to=2026-05-31": 0,
		"batches?status=completed": 1, "batches?status=done": 1, "batches?status=failed": 0, "batches?status=pending": 0, "batches?status=partially_completed": 0,
	} {
		var found client.Page[json.RawMessage]
		s.check(json.Unmarshal(s.want(s.get("/business/"+query), http.StatusOK).body, &found))
		if found.Meta.Total != want || len(found.Data) != want {
			t.Errorf("%s: %d", query, found.Meta.Total)
		}
	}
}

// TestReferenceFields has the reference's fields where there is a truth to tell, null before that.
func TestReferenceFields(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.want(s.upload("ann@example.com"), http.StatusCreated)
	for _, name := range []string{"qrcode_path", "generated_at", "assigned_at", "documents.0"} {
		if v := first.get("data." + name); v != nil {
			t.Errorf("before there is a verified PDF, %s is %v", name, v)
		}
	}
	one := s.settled(first.text("data.uuid"))
	uuid, reference := one.text("data.uuid"), one.text("data.reference_id")
	path := "https://vec.example.edu" + vaultPath + "/" + uuid + "/download"
	if one.text("data.documents.0.path") != path || one.text("data.documents.0.type") != "verified_pdf" || one.get("data.documents.0.id") != one.get("data.id") ||
		one.text("data.institution_name") != "First" || one.text("data.generated_at") != one.text("data.approved_at") {
		t.Errorf("%v", one)
	}
	all := s.want(s.get("/business/certificates/"+uuid), http.StatusOK)
	list := s.want(s.get("/business/certificates?sort_field=name&sort_order=desc&generated_at_from="+one.text("data.approved_at")[:10]), http.StatusOK)
	for prefix, a := range map[string]answer{"data.": all, "data.0.": list} {
		if a.text(prefix+"name") != "Ann Example" || a.text(prefix+"email") != "ann@example.com" || a.text(prefix+"pdf_path") != path || a.get(prefix+"customer_id") != nil {
			t.Errorf("%v", a)
		}
	}
	s.want(s.get("/business/certificates?customer_id=7"), http.StatusUnprocessableEntity)
	s.want(s.get("/business/certificates?generated_at_to=2020-01-01"), http.StatusOK)
	// The picture is the code of the PDF, for everyone.
	picture := one.text("data.qrcode_path")
	a := s.as("").fetch(http.MethodGet, strings.TrimPrefix(picture, "https://vec.example.edu"), "*/*")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "image/png" {
		t.Fatalf("%s: %d %v", picture, a.status, a.header)
	}
	if zbar, err := exec.LookPath("zbarimg"); err == nil {
		file := filepath.Join(t.TempDir(), "code.png")
		s.check(os.WriteFile(file, a.body, 0o600))
		read, err := exec.CommandContext(t.Context(), zbar, "-q", "--raw", file).Output()
		s.check(err)
		if strings.TrimSpace(string(read)) != one.text("data.verify_url") {
			t.Errorf("the picture says %q", read)
		}
	}
	for _, name := range []string{"VEC-IC-20260000000000000.png", reference, "x.png"} {
		if a := s.as("").fetch(http.MethodGet, "/v/qr/"+name, "*/*"); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", name, a.status)
		}
	}
}

// TestPageLinks lists the pages around each one, as Laravel does.
func TestPageLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for i := range 14 {
		s.want(s.upload(string(rune('a'+i))+"@example.com"), http.StatusCreated)
	}
	for page, want := range map[string]string{
		"1":  "« [1] 2 3 4 ... 13 14 »",
		"7":  "« 1 2 ... 4 5 6 [7] 8 9 10 ... 13 14 »",
		"14": "« 1 2 ... 11 12 13 [14] »",
	} {
		var found client.Page[json.RawMessage]
		s.check(json.Unmarshal(s.want(s.get(vaultPath+"?per_page=1&page="+page), http.StatusOK).body, &found))
		var words []string
		for _, l := range found.Meta.Links {
			word := strings.NewReplacer("&laquo; Previous", "«", "Next &raquo;", "»").Replace(l.Label)
			if l.Active {
				word = "[" + word + "]"
			}
			if (word == "...") != (l.URL == nil) && word != "«" && word != "»" {
				t.Errorf("page %s: %s has no address, or has one", page, word)
			}
			words = append(words, word)
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("page %s: %s, want %s", page, got, want)
		}
	}
}
