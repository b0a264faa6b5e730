package template_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/template"
)

// TestBundled puts every template that comes along into a folder and prints with it.
func TestBundled(t *testing.T) {
	shelf := template.Dir{Path: filepath.Join(t.TempDir(), "templates")}
	if names, err := shelf.Names(); err != nil || len(names) != 0 {
		t.Errorf("%v, %v", names, err)
	}
	for _, name := range template.BundledNames() {
		files, err := template.BundledFiles(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := shelf.Add(name, files); err != nil {
			t.Fatal(err)
		}
		if err := shelf.Add(name, files); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s is added twice: %v", name, err)
		}
		tpl, err := shelf.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, person := range []string{"Ada", "Nguyễn Thị Ánh Tuyết", "Владимир Ёлкин", "Ελένη Παπαδοπούλου",
			"Maximiliane Josephine Freifrau von Hohenberg-Altmann zu Wolkenstein und Trostburg, geborene Łukasiewicz-Ångström"} {
			row := tpl.SampleRow()
			row["full_name"] = person
			row["details"] = strings.Repeat("with highest honours, ", 6)
			file, err := tpl.Render(row)
			if err != nil {
				t.Errorf("%s for %s: %v", name, person, err)
				continue
			}
			if added := len(file) - len(files["background.pdf"]); added > 60<<10 {
				t.Errorf("%s: %d bytes above its background", name, added)
			}
			info, err := pdf.Inspect(bytes.NewReader(file), int64(len(file)))
			if err != nil || info.Pages != 1 {
				t.Errorf("%s: %+v, %v", name, info, err)
			}
			t.Logf("%s: %d bytes, %d of them its background", name, len(file), len(files["background.pdf"]))
		}
	}
	names, err := shelf.Names()
	if err != nil || strings.Join(names, " ") != "course degree letter" {
		t.Errorf("%v, %v", names, err)
	}
	if _, err := shelf.Load("diploma"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "there are course, degree, letter") {
		t.Errorf("%v", err)
	}
}

func TestAddRefuses(t *testing.T) {
	shelf := template.Dir{Path: t.TempDir()}
	files, err := template.BundledFiles("letter")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "..", "a/b", "Ä", "-x", strings.Repeat("x", 65)} {
		if err := shelf.Add(name, files); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	delete(files, "background.pdf")
	if err := shelf.Add("x", files); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "background.pdf is not in the template's folder") {
		t.Errorf("%v", err)
	}
	left, err := os.ReadDir(shelf.Path)
	if err != nil || len(left) != 0 {
		t.Errorf("something is left behind: %v, %v", left, err)
	}
}

// TestAddSaysWhy holds that a user who cannot add a template reads why.
func TestAddSaysWhy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := template.BundledFiles("letter")
	if err != nil {
		t.Fatal(err)
	}
	err = template.Dir{Path: filepath.Join(file, "templates")}.Add("x", files)
	if message, _ := fault.Message(err); !strings.Contains(message, "(not a directory)") {
		t.Errorf("%q, %v", message, err)
	}
}

func TestCollect(t *testing.T) {
	dir := t.TempDir()
	if _, err := template.ReadFiles(dir); err == nil || !strings.Contains(err.Error(), "it has no template.yaml") {
		t.Errorf("%v", err)
	}
	files, err := template.BundledFiles("course")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := template.ReadFiles(dir)
	if err != nil || len(got) != len(files) {
		t.Errorf("%d files, %v", len(got), err)
	}
	if _, err := template.ReadFiles(filepath.Join(dir, "gone")); err == nil {
		t.Error("a folder that is not there is read")
	}
}
