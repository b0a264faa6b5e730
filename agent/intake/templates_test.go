package intake

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/template"
	"github.com/vecctl/vecctl/pkg/vault"
)

// stall is a catalog over a shelf in a folder of its own.
type stall struct {
	*testing.T
	*TemplateCache
	logged bytes.Buffer
	folder template.Dir
	asked  int // how often templates were loaded
}

// countingFolder counts how often templates are loaded.
type countingFolder struct {
	template.Dir
	loads *int
}

func (f countingFolder) Load(name string) (*template.Template, error) {
	*f.loads++
	return f.Dir.Load(name)
}

func newStall(t *testing.T) *stall {
	t.Helper()
	s := &stall{T: t, folder: template.Dir{Path: filepath.Join(t.TempDir(), "templates")}}
	s.TemplateCache = &TemplateCache{
		Folder: countingFolder{s.folder, &s.asked}, DefaultPlacement: vault.Placement{At: "bottom-right", SizeMM: 22, MarginMM: 8},
		Log: slog.New(slog.NewTextHandler(&s.logged, nil)),
	}
	return s
}

func (s *stall) add(name, of string) {
	s.Helper()
	files, err := template.BundledFiles(of)
	if err == nil {
		err = s.folder.Add(name, files)
	}
	if err != nil {
		s.Fatal(err)
	}
}

// edit changes a template's description, a second later than it was made.
func (s *stall) edit(name, old, changed string) {
	s.Helper()
	path := filepath.Join(s.folder.Path, name, template.File)
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), old) {
		s.Fatalf("%s has no %q: %v", path, old, err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, changed, 1)), 0o600); err != nil {
		s.Fatal(err)
	}
	later := time.Now().Add(time.Second)
	if err := os.Chtimes(path, later, later); err != nil {
		s.Fatal(err)
	}
}

// listed shows the templates in a line.
func (s *stall) listed() string {
	s.Helper()
	all, err := s.For(vault.Institution{}).Templates()
	if err != nil || all == nil {
		s.Fatal(all, err)
	}
	var words []string
	for _, one := range all {
		words = append(words, fmt.Sprintf("%s %s %vx%v %d", one.ID, one.Orientation, one.WidthMM, one.HeightMM, len(one.Fields)))
	}
	return strings.Join(words, ", ")
}

func TestTemplatesOfAHome(t *testing.T) {
	t.Parallel()
	s := newStall(t)
	if got := s.listed(); got != "" {
		t.Errorf("a new home has %s", got)
	}
	s.add("degree", "degree")
	s.add("letter", "letter")
	got := s.listed()
	if !strings.HasPrefix(got, "degree landscape 297x210 ") || !strings.Contains(got, ", letter portrait 210x297 ") {
		t.Errorf("there are %s", got)
	}
	if again := s.listed(); again != got || s.asked != 2 {
		t.Errorf("asked again: %s, %d templates were read", again, s.asked)
	}

	s.edit("letter", "name:", "label:")
	if left := s.listed(); !strings.HasPrefix(got, left+", letter") || left == "" {
		t.Errorf("with a faulty one there are %s", left)
	}
	if !strings.Contains(s.logged.String(), "template=letter") || s.listed() == "" || strings.Count(s.logged.String(), "\n") != 1 {
		t.Errorf("the fault is told as\n%s", &s.logged)
	}
	s.edit("letter", "label:", "name:")
	if mended := s.listed(); mended != got {
		t.Errorf("once it is mended there are %s", mended)
	}
	if err := os.RemoveAll(filepath.Join(s.folder.Path, "degree")); err != nil {
		t.Fatal(err)
	}
	if left := s.listed(); !strings.HasPrefix(left, "letter ") {
		t.Errorf("without the degree there are %s", left)
	}
}

func TestWhereCodesGo(t *testing.T) {
	t.Parallel()
	s := newStall(t)
	s.add("degree", "degree")
	if p, err := s.For(vault.Institution{}).Placement(""); err != nil || p != s.DefaultPlacement {
		t.Errorf("without a template: %+v, %v", p, err)
	}
	p, err := s.For(vault.Institution{}).Placement("degree")
	if err != nil || p.At == "" || p.SizeMM == 0 {
		t.Errorf("of the degree: %+v, %v", p, err)
	}
	if again, err := s.For(vault.Institution{}).Placement("degree"); err != nil || again != p || s.asked != 1 {
		t.Errorf("asked again: %+v, %v, read %d times", again, err, s.asked)
	}
	for _, name := range []string{"diploma", "../degree", "Degree", strings.Repeat("x", 65)} {
		if p, err := s.For(vault.Institution{}).Placement(name); !fault.Is(err, fault.Invalid) || p != (vault.Placement{}) {
			t.Errorf("%q: %+v, %v", name, p, err)
		}
	}
	s.edit("degree", "name:", "label:")
	if _, err := s.For(vault.Institution{}).Placement("degree"); !fault.Is(err, fault.Invalid) {
		t.Errorf("of a faulty one: %v", err)
	}
}

// Names that do not exist fill no memory, however many are asked for.
func TestUnknownNamesAreForgotten(t *testing.T) {
	t.Parallel()
	s := newStall(t)
	s.add("degree", "degree")
	for n := range 1000 {
		if _, err := s.For(vault.Institution{}).Placement(fmt.Sprintf("made-up-%d", n)); !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	}
	if _, err := s.For(vault.Institution{}).Placement("degree"); err != nil || len(s.cached) != 1 {
		t.Errorf("%d names are remembered, %v", len(s.cached), err)
	}
}
