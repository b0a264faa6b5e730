package contract

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/vault"
)

// fields are the guide's, with a sound value of each and the most characters that it
// may have; 0 is no such bound.
var fields = []struct {
	name     string
	sound    string
	most     int
	required bool
}{
	{"certificate_title", "Diploma", 255, true}, {"full_name", "Ann Example", 255, true}, {"applicant_email", "ann@example.com", 255, true},
	{"issue_date", "2026-06-01", 0, false}, {"details", "With honours", 1000, false},
}

// complaint is the message about a field with which something is wrong.
func complaint(field, label, wrong string, most int) string {
	if field == "issue_date" && wrong != "string" {
		return "The " + label + " field must match the format YYYY-MM-DD."
	}
	return "The " + label + " field " + map[string]string{
		"required": "is required.", "string": "must be a string.", "long": fmt.Sprintf("must not be greater than %d characters.", most), "utf8": "must be valid UTF-8 text.",
	}[wrong]
}

// TestEveryField gets each field of an upload wrong in each way: nothing of it is kept.
func TestEveryField(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	send := func(change func(*form)) answer {
		f := newForm()
		change(f)
		return s.post(vaultPath, f.file("certificate_file", "c.pdf", smallPDF("x")))
	}
	write := func(f *form, name, value string) {
		if value != "-" {
			s.check(f.WriteField(name, value))
		}
	}
	for _, field := range fields {
		others := func(f *form) {
			for _, other := range fields {
				if other.name != field.name {
					write(f, other.name, other.sound)
				}
			}
		}
		label := strings.ReplaceAll(field.name, "_", " ")
		bad := map[string]string{strings.Repeat("ż", max(field.most, 50)+1): "long", "Z\xfc" + field.sound: "utf8"}
		if field.required {
			bad["-"], bad[""], bad[" \t "] = "required", "required", "required"
		}
		for value, wrong := range bad {
			a := s.want(send(func(f *form) { others(f); write(f, field.name, value) }), http.StatusUnprocessableEntity)
			if c := a.complaints(); len(c) != 1 || c[field.name][0] != complaint(field.name, label, wrong, field.most) {
				t.Errorf("%s, %s: %v", field.name, wrong, a)
			}
		}
		a := s.want(send(func(f *form) { others(f); f.file(field.name, "c.pdf", smallPDF("x")) }), http.StatusUnprocessableEntity)
		if c := a.complaints(); len(c) != 1 || c[field.name][0] != complaint(field.name, label, "string", 0) {
			t.Errorf("a document for %s: %v", field.name, a)
		}
		// Of two the last counts.
		s.want(send(func(f *form) {
			others(f)
			write(f, field.name, field.sound)
			write(f, field.name, strings.Repeat("x", 1100))
		}), http.StatusUnprocessableEntity)
		for _, value := range []any{5, true, []string{"a"}, map[string]string{"a": "b"}} {
			body := map[string]any{}
			for _, other := range fields {
				body[other.name] = other.sound
			}
			body[field.name] = value
			a := s.want(s.jsonTo(vaultPath, body), http.StatusUnprocessableEntity)
			if c := a.complaints(); len(c) != 2 || c[field.name][0] != complaint(field.name, label, "string", 0) || c["certificate_file"] == nil {
				t.Errorf("%v for %s: %v", value, field.name, a)
			}
		}
	}
	for name, body := range map[string][]byte{"nothing": nil, "text": []byte("Dear Sir"), "one byte too many": append(smallPDF("x"), bytes.Repeat([]byte{'\n'}, vault.MaxFile)...)} {
		a := s.want(s.post(filePath, newForm().file("file", "c.pdf", body)), http.StatusUnprocessableEntity)
		if a.complaints()["file"] == nil {
			t.Errorf("a file of %s: %v", name, a)
		}
	}
	for _, f := range []*form{newForm(), newForm("file", ""), newForm("file", "text"), newForm().file("other", "c.pdf", smallPDF("x"))} {
		s.want(s.post(filePath, f), http.StatusUnprocessableEntity)
	}
	s.keptNothing()
	last := s.want(send(func(f *form) {
		for _, field := range fields {
			write(f, field.name, strings.Repeat("x", 2000))
			write(f, field.name, field.sound)
		}
		f.file("certificate_file", "first.txt", []byte("text"))
	}), http.StatusCreated)
	if last.text("data.full_name") != "Ann Example" || last.text("data.file.name") != "c.pdf" {
		t.Errorf("%v", last)
	}
	s.noTemporaryFiles()
}

// TestEveryFieldOfAnEntry gets each field of an entry wrong in each way, in JSON and
// in forms: every entry is named, and nothing kept.
func TestEveryFieldOfAnEntry(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var list []map[string]any
	want := map[string]string{}
	add := func(field, wrong string, most int, value any) {
		e := map[string]any{"file_id": s.uploadFile()}
		for _, f := range fields {
			e[f.name] = f.sound
		}
		e["certificate_title"] = fmt.Sprintf("Diploma %d", len(list))
		if e[field] = value; value == nil {
			delete(e, field)
		}
		name := fmt.Sprintf("entries.%d.%s", len(list), field)
		want[name] = complaint(field, name, wrong, most)
		list = append(list, e)
	}
	for _, f := range append(fields, struct {
		name     string
		sound    string
		most     int
		required bool
	}{"file_id", "", 0, true}) {
		if f.required {
			add(f.name, "required", 0, nil)
			add(f.name, "required", 0, "")
			add(f.name, "required", 0, " \t")
		}
		if f.most > 0 {
			add(f.name, "long", f.most, strings.Repeat("ż", f.most+1))
		}
		if f.name == "issue_date" {
			add(f.name, "long", 0, "1/6/2026")
		}
		add(f.name, "string", 0, 5)
		add(f.name, "string", 0, []string{"a"})
		add(f.name, "string", 0, map[string]any{"a": 1})
	}
	s.complains("JSON", s.jsonTo(bulkPath, map[string]any{"entries": list}), want)
	// As a form has them: what is no text there is left out.
	v := url.Values{}
	for i, e := range list {
		for name, value := range e {
			if text, ok := value.(string); ok {
				v.Set(fmt.Sprintf("entries[%d][%s]", i, name), text)
			}
		}
	}
	inForm := map[string]string{}
	for name, message := range want {
		if !strings.HasSuffix(message, "must be a string.") {
			inForm[name] = message
		} else if field := name[strings.LastIndex(name, ".")+1:]; field != "issue_date" && field != "details" {
			inForm[name] = complaint(field, name, "required", 0)
		}
	}
	s.complains("a form", s.call(http.MethodPost, bulkPath, strings.NewReader(v.Encode()), header("Content-Type", "application/x-www-form-urlencoded")), inForm)
	broken := bytes.Replace(s.json(map[string]any{"entries": list[:1]}), []byte("Ann"), []byte("\xff"), 1)
	s.want(s.call(http.MethodPost, bulkPath, bytes.NewReader(broken), header("Content-Type", "application/json")), http.StatusBadRequest)
	s.want(s.call(http.MethodPost, vaultPath, strings.NewReader("{\"full_name\":\"\xff\"}"), header("Content-Type", "application/json")), http.StatusBadRequest)
	v = url.Values{"entries[0][full_name]": {"\xff"}}
	if a := s.call(http.MethodPost, bulkPath, strings.NewReader(v.Encode()), header("Content-Type", "application/x-www-form-urlencoded")); a.complaints()["entries.0.full_name"] == nil {
		t.Errorf("a name that is no UTF-8: %v", a)
	}
	if n := s.total(); n != 0 {
		t.Errorf("%d certificates were kept", n)
	}
}

// complains wants exactly these complaints of a refusal.
func (s *site) complains(what string, a answer, want map[string]string) {
	s.Helper()
	got := s.want(a, http.StatusUnprocessableEntity).complaints()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if len(got[name]) == 0 || got[name][0] != want[name] {
			s.Errorf("%s, %s: %q, want %q", what, name, got[name], want[name])
		}
		delete(got, name)
	}
	if len(got) > 0 {
		s.Errorf("%s: also complained of: %v", what, got)
	}
}
