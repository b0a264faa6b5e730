package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"github.com/vecctl/vecctl/pkg/vault"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/template"
)

// addTemplate puts a bundled template on the site's shelf, whose code goes to the
// top left.
func (s *site) addTemplate(name string) {
	s.Helper()
	files, err := template.BundledFiles(name)
	s.check(err)
	lines := slices.DeleteFunc(strings.Split(string(files[template.File]), "\n"), func(l string) bool { return strings.HasPrefix(l, "qr:") })
	files[template.File] = []byte(strings.Join(lines, "\n") + "\nqr: {at: top-left, size: 25, margin: 12}\n")
	s.check(template.Dir{Path: home.Dir(s.home).Templates()}.Add(name, files))
}

// lies draws a certificate's verified PDF and says in which quarter of the page the
// code is: top or bottom, left or right.
func (s *site) lies(uuid string) string {
	s.Helper()
	if _, err := exec.LookPath("pdftoppm"); err != nil {
		return ""
	}
	if done := s.settled(uuid); done.text("data.status.value") != "approved" {
		s.Fatalf("not approved: %v", done)
	}
	draw := exec.CommandContext(s.Context(), "pdftoppm", "-r", "40", "-png", "-singlefile", "-")
	draw.Stdin = bytes.NewReader(s.want(s.get(vaultPath+"/"+uuid+"/download"), http.StatusOK).body)
	out, err := draw.Output()
	s.check(err)
	page, err := png.Decode(bytes.NewReader(out))
	s.check(err)
	dark := map[string]int{}
	all := page.Bounds()
	for y := all.Min.Y; y < all.Max.Y; y++ {
		for x := all.Min.X; x < all.Max.X; x++ {
			if r, _, _, _ := page.At(x, y).RGBA(); r > 0x8000 {
				continue
			}
			quarter := "top-left"
			if y > all.Dy()/2 {
				quarter = strings.Replace(quarter, "top", "bottom", 1)
			}
			if x > all.Dx()/2 {
				quarter = strings.Replace(quarter, "left", "right", 1)
			}
			dark[quarter]++
		}
	}
	most := ""
	for quarter, n := range dark {
		if n > dark[most] {
			most = quarter
		}
	}
	return most
}

// TestPlacement has uploads say where their codes go, in every form that a request
// may have.
func TestPlacement(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.addTemplate("degree")
	with := func(fields ...string) string {
		f := person(fmt.Sprintf("p%d@example.com", s.total()))
		for i := 0; i+1 < len(fields); i += 2 {
			s.check(f.WriteField(fields[i], fields[i+1]))
		}
		return s.want(s.post(vaultPath, f.file("certificate_file", "c.pdf", smallPDF("x"))), http.StatusCreated).text("data.uuid")
	}
	entry := func(add map[string]any) map[string]any {
		e := map[string]any{"certificate_title": "Diploma", "full_name": "Ann", "applicant_email": fmt.Sprintf("p%d@example.com", s.total()), "file_id": s.uploadFile()}
		for name, value := range add {
			e[name] = value
		}
		return e
	}
	batch := func(a answer) string {
		return s.get(vaultPath + "?batch_id=" + s.want(a, http.StatusAccepted).text("data.batch_id")).text("data.0.uuid")
	}
	inJSON := func(add map[string]any) string {
		body := map[string]any{"entries": []any{entry(add)}}
		s.describes("BulkRequest", body)
		return batch(s.bulkJSON(body))
	}
	inForm := func(add ...string) string {
		v := url.Values{}
		for name, value := range entry(nil) {
			v.Set("entries[3]["+name+"]", fmt.Sprint(value))
		}
		for i := 0; i+1 < len(add); i += 2 {
			v.Set("entries[3]"+add[i], add[i+1])
		}
		return batch(s.call(http.MethodPost, bulkPath, strings.NewReader(v.Encode()), header("Content-Type", "application/x-www-form-urlencoded")))
	}
	all := client.Placement{Page: 1, At: "top-right", SizeMM: 30.5, MarginMM: 5}
	for _, tt := range []struct {
		name, uuid string
		qr         client.Placement
		lies       string
	}{
		{"nothing", with(), client.Placement{}, "bottom-right"},
		{"empty fields", with("qr[page]", "", "qr[at]", " ", "qr[size]", "", "template", ""), client.Placement{}, "bottom-right"},
		{"all", with("qr[page]", "1", "qr[at]", " Top-Right", "qr[size]", "30.5", "qr[margin]", "5"), all, "top-right"},
		{"a place", with("qr[at]", "20,20"), client.Placement{At: "20,20"}, "top-left"},
		{"a template", with("template", "degree"), client.Placement{At: "top-left", SizeMM: 25, MarginMM: 12}, "top-left"},
		{"a template and a corner", with("template", "degree", "qr[at]", "bottom-left"), client.Placement{At: "bottom-left", SizeMM: 25, MarginMM: 12}, "bottom-left"},
		{"JSON with numbers", inJSON(map[string]any{"qr": map[string]any{"page": 1, "at": "top-right", "size": 30.5, "margin": 5}}), all, "top-right"},
		{"JSON with texts", inJSON(map[string]any{"qr": map[string]any{"page": "1", "at": "top-right", "size": "30.5", "margin": "5", "more": true}}), all, "top-right"},
		{"JSON with a template", inJSON(map[string]any{"template": "degree", "qr": nil}), client.Placement{At: "top-left", SizeMM: 25, MarginMM: 12}, "top-left"},
		{"JSON with nothing", inJSON(map[string]any{"qr": map[string]any{"page": nil}, "template": nil}), client.Placement{}, "bottom-right"},
		{"a form", inForm("[qr][page]", "1", "[qr][at]", "top-right", "[qr][size]", "30.5", "[qr][margin]", "5"), all, "top-right"},
		{"a form with a template", inForm("[template]", "degree"), client.Placement{At: "top-left", SizeMM: 25, MarginMM: 12}, "top-left"},
	} {
		var got client.Placement
		if raw := s.settled(tt.uuid).get("data.qr"); raw != nil {
			text, err := json.Marshal(raw)
			s.check(err)
			s.check(json.Unmarshal(text, &got))
		}
		if got != tt.qr {
			t.Errorf("%s: placed %+v, want %+v", tt.name, got, tt.qr)
		}
		if lies := s.lies(tt.uuid); lies != tt.lies && lies != "" {
			t.Errorf("%s: the code lies at %s, want %s", tt.name, lies, tt.lies)
		}
	}
	last := s.want(s.get(vaultPath+"/"+with("qr[page]", "last")), http.StatusOK)
	if n, _ := last.get("data.qr.page").(float64); n != vault.LastPage {
		t.Errorf("the last page: %v", last)
	}
	if s.settled(last.text("data.uuid")).text("data.status.value") != "approved" {
		t.Error("the last page was not stamped")
	}
}

// describes fails the test unless the description knows a request's body.
func (s *site) describes(schema string, body any) {
	s.Helper()
	v, err := description()
	s.check(err)
	judge, err := v.compile("#/components/schemas/" + schema)
	s.check(err)
	raw, err := json.Marshal(body)
	s.check(err)
	read, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	s.check(err)
	s.check(judge.Validate(read))
}

// TestPlacementRefuses names what is wrong with a place, and keeps nothing.
func TestPlacementRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.addTemplate("degree")
	var picture bytes.Buffer
	s.check(png.Encode(&picture, image.NewGray(image.Rect(0, 0, 600, 400))))
	const page = "must be an integer between 1 and 100000, or last."
	for _, tt := range []struct {
		field, value, complains, says string
	}{
		{"qr", "top-left", "qr", "The qr field must be an array."},
		{"qr[page]", "0", "qr.page", "The qr.page field " + page},
		{"qr[page]", "-1", "qr.page", "The qr.page field " + page},
		{"qr[page]", "1.5", "qr.page", "The qr.page field " + page},
		{"qr[page]", "99999999999999999999", "qr.page", "The qr.page field " + page},
		{"qr[page]", "two", "qr.page", "The qr.page field " + page},
		{"qr[page]", "2", "qr.page", "The document has 1 page"},
		{"qr[at]", "middle", "qr.at", "The qr.at field must be bottom-right, bottom-left, top-right, top-left, auto, or X,Y in millimetres."},
		{"qr[at]", "10", "qr.at", "The qr.at field must be"},
		{"qr[at]", "-5,5", "qr.at", "The qr.at field must be"},
		{"qr[at]", "NaN,5", "qr.at", "The qr.at field must be"},
		{"qr[at]", "10," + strings.Repeat("0", 100), "qr.at", "The qr.at field must be"},
		{"qr[at]", "900,10", "qr.at", "the code does not lie on page 1"},
		{"qr[size]", "7.9", "qr.size", "The qr.size field must be between 8 and 200."},
		{"qr[size]", "200.1", "qr.size", "The qr.size field must be between 8 and 200."},
		{"qr[size]", "NaN", "qr.size", "The qr.size field must be a number."},
		{"qr[size]", "1e1", "qr.size", "The qr.size field must be a number."},
		{"qr[size]", "large", "qr.size", "The qr.size field must be a number."},
		{"qr[margin]", "0", "qr.margin", "The qr.margin field must be greater than 0."},
		{"qr[margin]", "201", "qr.margin", "The qr.margin field must be between 0 and 200."},
		{"template", "gone", "template", "The selected template is invalid."},
		{"template", "../../keys", "template", "The selected template is invalid."},
	} {
		a := s.want(s.post(vaultPath, newForm("certificate_title", "D", "full_name", "N", "applicant_email", "n@example.com", tt.field, tt.value).
			file("certificate_file", "c.pdf", smallPDF("x"))), http.StatusUnprocessableEntity)
		if c := a.complaints(); len(c) != 1 || len(c[tt.complains]) != 1 || !strings.Contains(c[tt.complains][0], tt.says) {
			t.Errorf("%s=%s: %v", tt.field, tt.value, a)
		}
	}
	scan := s.want(s.post(vaultPath, person("n@example.com").file("certificate_file", "c.png", picture.Bytes())), http.StatusCreated)
	if s.settled(scan.text("data.uuid")).text("data.status.value") != "approved" {
		t.Errorf("an image: %v", scan)
	}
	f := newForm("certificate_title", "D", "full_name", "N", "applicant_email", "n@example.com", "qr[page]", "2")
	if a := s.want(s.post(vaultPath, f.file("certificate_file", "c.png", picture.Bytes())), http.StatusUnprocessableEntity); a.complaints()["qr.page"] == nil {
		t.Errorf("the second page of an image: %v", a)
	}
	s.noTemporaryFiles()
	if n := s.total(); n != 1 {
		t.Errorf("%d certificates, want 1", n)
	}
}

// TestBulkPlacementRefuses names every bad entry; a request is taken as a whole.
func TestBulkPlacementRefuses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bad := func(qr any, template any) map[string]any {
		return map[string]any{"certificate_title": "D", "full_name": "N", "applicant_email": "n@example.com",
			"issue_date": "2026-06-01", "file_id": s.uploadFile(), "qr": qr, "template": template}
	}
	list := []any{
		bad(nil, nil), bad("top-left", nil), bad(map[string]any{"page": 2}, nil), bad(map[string]any{"page": true, "size": []int{1}}, nil),
		bad(map[string]any{"at": 5, "size": 1e300, "margin": -1}, nil), bad(nil, 5), bad(nil, "gone"), bad(map[string]any{"at": "500,500"}, nil),
	}
	for i, e := range list {
		e.(map[string]any)["applicant_email"] = fmt.Sprintf("p%d@example.com", i)
	}
	a := s.want(s.bulkJSON(entries{"entries": list}), http.StatusUnprocessableEntity)
	got := a.complaints()
	for name, says := range map[string]string{
		"entries.1.qr": "The entries.1.qr field must be an array.", "entries.2.qr.page": "The document has 1 page",
		"entries.3.qr.page": "The entries.3.qr.page field must be a string.", "entries.3.qr.size": "The entries.3.qr.size field must be a string.",
		"entries.4.qr.at": "The entries.4.qr.at field must be bottom-right", "entries.4.qr.size": "The entries.4.qr.size field must be a number.",
		"entries.4.qr.margin": "The entries.4.qr.margin field must be a number.", "entries.5.template": "The entries.5.template field must be a string.",
		"entries.6.template": "The selected entries.6.template is invalid.", "entries.7.qr.at": "does not lie on page 1",
	} {
		if len(got[name]) != 1 || !strings.Contains(got[name][0], says) {
			t.Errorf("%s: %q, want %q", name, got[name], says)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("also complained of: %v", got)
	}
	if n := s.total(); n != 0 {
		t.Errorf("%d certificates were kept", n)
	}
}

// TestPlacementIdempotency tells calls apart by where they put the code.
func TestPlacementIdempotency(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	upload := func(at string) answer {
		return s.post(vaultPath, newForm("certificate_title", "D", "full_name", "N", "applicant_email", "n@example.com", "qr[at]", at).
			file("certificate_file", "c.pdf", smallPDF("x")), header("Idempotency-Key", "one"))
	}
	first := s.want(upload("top-left"), http.StatusCreated)
	if again := s.want(upload("top-left"), http.StatusCreated); !bytes.Equal(first.body, again.body) {
		t.Errorf("the second answer is another one: %v", again)
	}
	if a := s.want(upload("top-right"), http.StatusUnprocessableEntity); a.complaints()["Idempotency-Key"] == nil {
		t.Errorf("another place: %v", a)
	}
	id := s.uploadFile()
	bulk := func(page any) answer {
		e := map[string]any{"certificate_title": "E", "full_name": "N", "applicant_email": "n@example.com", "file_id": id, "qr": map[string]any{"page": page}}
		return s.bulkJSON(entries{"entries": []any{e}}, header("Idempotency-Key", "two"))
	}
	accepted := s.want(bulk(1), http.StatusAccepted)
	// A number and its text say the same.
	if again := s.want(bulk("1"), http.StatusAccepted); !bytes.Equal(accepted.body, again.body) {
		t.Errorf("the second answer is another one: %v", again)
	}
	if a := s.want(bulk(nil), http.StatusUnprocessableEntity); a.complaints()["Idempotency-Key"] == nil {
		t.Errorf("no place: %v", a)
	}
}

// TestClientPlacement has the client say where codes go.
func TestClientPlacement(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.addTemplate("degree")
	c := s.client(http.DefaultTransport)
	at := client.Placement{Page: 1, At: "10.5,20", SizeMM: 30, MarginMM: 4.5}
	issued, err := c.Upload(t.Context(), client.NewCertificate{Content: client.Content{Title: "D", Name: "N", Email: "n@example.com"}, File: document("n"), QR: at, Template: "degree"}, nil)
	s.check(err)
	if issued.QR == nil || *issued.QR != at {
		t.Errorf("placed %+v, want %+v", issued.QR, at)
	}
	list := make([]client.BulkEntry, 2)
	for i := range list {
		file, err := c.UploadFile(t.Context(), document("n"), "", nil)
		s.check(err)
		list[i] = client.BulkEntry{Content: client.Content{Title: fmt.Sprint("B", i), Name: "N", Email: "n@example.com"}, FileID: file.FileID}
	}
	list[0].QR, list[1].Template = at, "degree"
	accepted, err := c.SubmitBulk(t.Context(), list, "")
	s.check(err)
	page, err := c.List(t.Context(), client.Filter{Batch: accepted.BatchID})
	s.check(err)
	want := map[string]client.Placement{"B0": at, "B1": {At: "top-left", SizeMM: 25, MarginMM: 12}}
	for _, one := range page.Data {
		if one.QR == nil || *one.QR != want[one.Title] {
			t.Errorf("%s is placed %+v, want %+v", one.Title, one.QR, want[one.Title])
		}
	}
	if len(page.Data) != 2 {
		t.Errorf("%d certificates, want 2", len(page.Data))
	}
}
