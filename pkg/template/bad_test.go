package template

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/image/font/gofont/goregular"

	"github.com/vecctl/vecctl/pkg/fault"
)

// TestBadFiles loads templates whose files are not what they are named as.
func TestBadFiles(t *testing.T) {
	cut := goregular.TTF[:len(goregular.TTF)/2]
	scrambled := bytes.Clone(goregular.TTF)
	for i := 12; i < 400; i++ {
		scrambled[i] ^= 0xa5
	}
	// A page tree that leads back to itself.
	circle := []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\ntrailer<</Root 1 0 R>>\n")
	const background = "background: bg\nfonts:"
	for name, tt := range map[string]struct {
		file string
		data []byte
		from string
		to   string
		says string
	}{
		"half a font":            {"x.ttf", cut, "go.ttf\n", "x.ttf\n", "the font x.ttf cannot be used"},
		"a scrambled font":       {"x.ttf", scrambled, "go.ttf\n", "x.ttf\n", "the font x.ttf cannot be used"},
		"an empty font":          {"x.ttf", nil, "go.ttf\n", "x.ttf\n", "the font x.ttf cannot be used"},
		"a font of PostScript":   {"x.otf", append([]byte("OTTO"), goregular.TTF[4:]...), "go.ttf\n", "x.otf\n", "the font x.otf cannot be used"},
		"a collection of fonts":  {"x.ttc", append([]byte("ttcf"), goregular.TTF[4:]...), "go.ttf\n", "x.ttc\n", "the font x.ttc cannot be used"},
		"a web font":             {"x.woff2", append([]byte("wOF2"), goregular.TTF[4:]...), "go.ttf\n", "x.woff2\n", "the font x.woff2 cannot be used"},
		"an empty background":    {"bg", nil, "fonts:", background, "the background bg is empty"},
		"a circle of pages":      {"bg", circle, "fonts:", background, "the background bg cannot be used"},
		"half an image":          {"bg", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00"), "fonts:", background, "the background bg cannot be used"},
		"a huge image":           {"bg", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\xff\xff\xff\x00\xff\xff\xff\x08\x02\x00\x00\x00aaaa"), "fonts:", background, "the background bg cannot be used"},
		"a background of script": {"bg", []byte("%!PS-Adobe-3.0\n"), "fonts:", background, "the background bg cannot be used"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(strings.Replace(sound, tt.from, tt.to, 1))
			dir[tt.file] = &fstest.MapFile{Data: tt.data}
			_, err := Load(dir)
			if _, ok := errors.AsType[Errors](err); !ok || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %q", err, tt.says)
			}
		})
	}
}

// TestBadSpecs loads what YAML can be made to mean.
func TestBadSpecs(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += strings.ReplaceAll(string(c)+": &"+string(c)+" [P,P,P,P,P,P,P,P,P]\n", "P", "*"+string(c-1))
	}
	for name, tt := range map[string]struct{ spec, says string }{
		"a name that leads to itself": {"name: x\nfields: &f [*f]\n", "template.yaml"},
		"names that grow":             {bomb, "template.yaml"},
		"a merge with itself":         {"page: &p\n  <<: *p\n", "template.yaml"},
		"a key twice":                 {strings.Replace(sound, "name: Degree", "name: Degree\nname: Again", 1), "template.yaml, line 2"},
		"a number that is none":       {strings.Replace(sound, "x: 50, y: 80", "x: .nan, y: 80", 1), "lies off the page"},
		"a width without end":         {strings.Replace(sound, "width: 197, height: 24", "width: .inf, height: 24", 1), "lies off the page"},
		"a negative place":            {strings.Replace(sound, "x: 50, y: 80", "x: -50, y: 80", 1), "lies off the page"},
		"no UTF-8":                    {"name: \xff\n", "template.yaml"},
		"a binary file":               {"\x00\x01\x02", "template.yaml"},
		"too deep":                    {strings.Repeat("[", 20_000), "template.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(folder(tt.spec))
			if _, ok := errors.AsType[Errors](err); !ok || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "yaml.") {
				t.Errorf("%.300v", err)
			}
		})
	}
	large := folder(sound + strings.Repeat("# more\n", 50_000))
	if _, err := Load(large); err == nil || !strings.Contains(err.Error(), "template.yaml has 342 KB: at most 256 are taken") {
		t.Errorf("a large one: %v", err)
	}
}

// TestImportedLinks takes folders over in which links lead in a circle.
func TestImportedLinks(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string][]byte{File: []byte(sound), "go.ttf": goregular.TTF} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"round.ttf": "round.ttf", "again": ".", "out.ttf": "/etc/passwd"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip("links cannot be made here")
		}
		if _, err := ReadFiles(dir); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s -> %s: %v", name, to, err)
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
}
