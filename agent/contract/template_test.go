package contract

import (
	"net/http"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/agent/home"
	"github.com/vecctl/vecctl/pkg/template"
)

// TestTemplates lists templates as the description says, and those with faults
// not at all.
func TestTemplates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const path = "/business/certificate-templates"
	if got := strings.TrimSpace(string(s.want(s.get(path), http.StatusOK).body)); got != "[]" {
		t.Errorf("without any: %s", got)
	}
	shelf := template.Dir{Path: home.Dir(s.home).Templates()}
	for _, name := range template.BundledNames() {
		files, err := template.BundledFiles(name)
		s.check(err)
		s.check(shelf.Add(name, files))
	}
	if got := string(s.want(s.get(path+"?search=DEGREE"), http.StatusOK).body); !strings.Contains(got, "Degree certificate") || strings.Contains(got, `"id":"course"`) {
		t.Errorf("a search: %s", got)
	}
	s.want(s.get(path+"?search="+strings.Repeat("x", 1001)), http.StatusUnprocessableEntity)
	body := string(s.want(s.get(path), http.StatusOK).body)
	for _, want := range []string{`"id":"course"`, `"name":"Degree certificate"`, `"orientation":"portrait"`, `"fields":["full_name","certificate_title","issue_date"]`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
}
