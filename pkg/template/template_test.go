package template

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

const sound = `name: Degree
language: en
page: {size: A4, orientation: landscape}
fonts:
  text: go.ttf
  title: [bold.ttf, go.ttf]
fields:
  - {text: "Degree certificate", x: 20, y: 20, width: 257, height: 20, font: title, size: 32, align: center, colour: "#1f3a5f"}
  - {text: "{full_name}", x: 50, y: 80, width: 197, height: 24, font: text, size: 40, min_size: 18, align: center}
  - {text: "{issue_date}", x: 50, y: 120, width: 197, height: 10, font: text, size: 12, date_format: "D MMMM YYYY"}
  - {text: "Grade: {grade?}", x: 50, y: 135, width: 100, height: 10, font: text, size: 12}
qr: {at: auto, size: 24, margin: 10}
`

func folder(spec string) fstest.MapFS {
	return fstest.MapFS{
		File: {Data: []byte(spec)}, "go.ttf": {Data: goregular.TTF}, "bold.ttf": {Data: gobold.TTF},
		"text.txt": {Data: []byte("this is no font, and no picture")},
	}
}

func load(t testing.TB, spec string) *Template {
	t.Helper()
	tpl, err := Load(folder(spec))
	if err != nil {
		t.Fatal(err)
	}
	return tpl
}

var row = map[string]string{"full_name": "Zoë Ångström", "issue_date": "2026-05-31", "grade": "A"}

func text(t *testing.T, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-layout", path, "-").Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("pdftotext is not installed")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestPrint(t *testing.T) {
	tpl := load(t, sound)
	if want := []string{"full_name", "issue_date"}; fmt.Sprint(tpl.Columns) != fmt.Sprint(want) || tpl.Name != "Degree" || tpl.WidthMM != 297 {
		t.Errorf("%+v", tpl)
	}
	file, err := tpl.Render(row)
	if err != nil {
		t.Fatal(err)
	}
	said := text(t, file)
	for _, want := range []string{"Degree certificate", "Zoë Ångström", "31 May 2026", "Grade: A"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %s", want, said)
		}
	}
	without, err := tpl.Render(map[string]string{"full_name": "Ada", "issue_date": "2026-05-31"})
	if err != nil || strings.Contains(text(t, without), "Grade") {
		t.Errorf("a field whose only column is empty is printed: %v", err)
	}
	// The same row gives the same bytes, in another run and beside others as well.
	again := load(t, sound)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if same, err := again.Render(row); err != nil || !bytes.Equal(same, file) {
				t.Errorf("other bytes: %v", err)
			}
		})
	}
	all.Wait()
	if added := len(file) - len(tpl.background.Bytes()); added > 60<<10 {
		t.Errorf("a certificate has %d bytes above its background", added)
	}
}

func TestBadRows(t *testing.T) {
	tpl := load(t, sound)
	for name, tt := range map[string]struct {
		column, value, says string
	}{
		"an empty name": {"full_name", " ", "the template needs full_name, and it is empty"},
		"a long name":   {"full_name", strings.Repeat("Maximiliane ", 40), "full_name is too long for its place"},
		"a character":   {"full_name", "सोनिया", `full_name has the character 'स' (U+0938), which none of its fonts holds`},
		"a date":        {"issue_date", "31.5.2026", `the date "31.5.2026" cannot be read`},
	} {
		values := map[string]string{"full_name": "Ada", "issue_date": "2026-05-31", tt.column: tt.value}
		if _, err := tpl.Render(values); err == nil || !strings.Contains(err.Error(), tt.says) || !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tpl.Render(map[string]string{"issue_date": "2026-05-31"}); err == nil || !strings.Contains(err.Error(), "there is no such column") {
		t.Errorf("a row without a name: %v", err)
	}
}

// TestBackgrounds prints on an image and on a PDF.
func TestBackgrounds(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 30, 20))); err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := pdf.WritePage(&page, 210, 297, nil); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		file []byte
		page string
	}{
		"image": {picture.Bytes(), "page: {size: A4, orientation: landscape}"}, "PDF": {page.Bytes(), ""}, "PDF of a size": {page.Bytes(), "page: {size: a4}"},
	} {
		spec := strings.Replace(sound, "page: {size: A4, orientation: landscape}", tt.page+"\nbackground: bg", 1)
		spec = strings.NewReplacer("257", "180", "width: 197", "width: 150").Replace(spec)
		dir := folder(spec)
		dir["bg"] = &fstest.MapFile{Data: tt.file}
		tpl, err := Load(dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if file, err := tpl.Render(row); err != nil || !strings.Contains(text(t, file), "Zoë Ångström") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFaults names every fault of a template.
func TestFaults(t *testing.T) {
	two := "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>endobj\n" +
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 842 595]>>endobj\n4 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 842 595]>>endobj\ntrailer<</Root 1 0 R>>\n"
	change := func(from, to string) string {
		if !strings.Contains(sound, from) {
			t.Fatalf("there is no %q", from)
		}
		return strings.Replace(sound, from, to, 1)
	}
	for name, tt := range map[string]struct {
		spec string
		says []string
	}{
		"an unknown key":        {change("min_size: 18", "minsize: 18"), []string{`template.yaml, line 9: there is no setting "minsize" here`}},
		"an unknown key above":  {sound + "colour: red\n", []string{`there is no setting "colour" here`}},
		"a text for a number":   {change("size: 40", "size: large"), []string{"`large` stands where a number must stand"}},
		"no YAML":               {"name: [", []string{"template.yaml, "}},
		"nothing":               {"", []string{"it is empty"}},
		"two documents":         {sound + "---\nname: x\n", []string{"more than one document"}},
		"no name":               {change("name: Degree", "name: ''"), []string{"name is missing"}},
		"a field off the page":  {change("x: 20, y: 20", "x: 100, y: 20"), []string{`field 1 ("Degree certificate"): it lies off the page: 100 to 357 mm across`}},
		"a field below it":      {change("y: 135", "y: 205"), []string{"205 to 215 mm down, and the page is 297 x 210 mm"}},
		"a font that is none":   {change("text: go.ttf", "text: text.txt"), []string{"the font text.txt cannot be used: it is not a TrueType font"}},
		"a font that is gone":   {change("text: go.ttf", "text: gone.ttf"), []string{"the font gone.ttf is not in the template's folder"}},
		"a font outside":        {change("text: go.ttf", "text: ../go.ttf"), []string{`the font "../go.ttf" lies outside the template's folder`}},
		"a font without a name": {change("font: text, size: 40", "font: texte, size: 40"), []string{`its font is "texte", and fonts has none of that name`}},
		"a background of two":   {change("fonts:", "background: two.pdf\nfonts:"), []string{"the background two.pdf cannot be used: The background has 2 pages"}},
		"a background of text":  {change("fonts:", "background: text.txt\nfonts:"), []string{"the background text.txt cannot be used: The file is plain text"}},
		"another size":          {change("size: A4, orientation: landscape}", "size: A5}\nbackground: two.pdf"), []string{"the background two.pdf is 297 x 210 mm, and page says 148 x 210"}},
		"a size of paper":       {change("size: A4", "size: A44"), []string{`page.size is "A44"`}},
		"an orientation":        {change("landscape", "sideways"), []string{`page.orientation is "sideways"`}},
		"an alignment":          {change("align: center", "align: centre"), []string{`align is "centre"; it can be left, center or right`}},
		"a fit":                 {change("align: center}", "align: center, fit: squeeze}"), []string{`fit is "squeeze"; it can be shrink or wrap`}},
		"a colour":              {change(`"#1f3a5f"`, "blue"), []string{`colour is "blue"`}},
		"a date format":         {change("D MMMM YYYY", "dd.mm.yy"), []string{`date_format is "dd.mm.yy"; it needs a day`}},
		"a column":              {change("{full_name}", "{Full Name}"), []string{"{Full Name} is no name of a column"}},
		"half a brace":          {change("{full_name}", "{full_name"), []string{"a brace without its other half"}},
		"the reference":         {change("{full_name}", "{reference_id}"), []string{"{reference_id} is not known yet"}},
		"a size of letters":     {change("size: 40, min_size: 18", "size: 12, min_size: 18"), []string{"min_size is 18"}},
		"a low field":           {change("height: 24", "height: 4"), []string{"a line of 18 points does not fit into its height of 4 mm"}},
		"a fixed text too long": {change("width: 257", "width: 30"), []string{`the text "Degree certificate" is too long for its place`}},
		"a place for the code":  {change("at: auto", "at: middle"), []string{`qr.at: "middle" is not a place`}},
		"a code off the page":   {change("at: auto", "at: '290,10'"), []string{"qr: At 290, 10 mm the code does not lie on page 1"}},
		"a code too small":      {change("size: 24,", "size: 3,"), []string{"qr: The code's size or margin is out of range"}},
		"page two":              {change("qr: {", "qr: {page: 2, "), []string{"qr.page is 2"}},
		"months":                {sound + "months: [Jan, Feb]\n", []string{"months has 2 names"}},
		"several":               {change("name: Degree", "name: ''") + "months: [x]\n", []string{"2 faults", "name is missing", "months has 1 names"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(tt.spec)
			dir["two.pdf"] = &fstest.MapFile{Data: []byte(two)}
			_, err := Load(dir)
			if _, ok := errors.AsType[Errors](err); !ok || !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v", err)
			}
			for _, says := range tt.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%v\nwant %q", err, says)
				}
			}
		})
	}
	if _, err := Load(fstest.MapFS{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an empty folder: %v", err)
	}
}

// TestLinks reads a folder on disk in which links lead in a circle, and out of it.
func TestLinks(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	write := func(dir, name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(outside, "go.ttf", goregular.TTF)
	write(dir, "bold.ttf", gobold.TTF)
	write(dir, File, []byte(strings.Replace(sound, "fonts:", "background: a.pdf\nfonts:", 1)))
	for name, to := range map[string]string{"a.pdf": "b.pdf", "b.pdf": "a.pdf", "go.ttf": filepath.Join(outside, "go.ttf")} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip("links cannot be made here")
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	_, err = Load(root.FS())
	if _, ok := errors.AsType[Errors](err); !ok || !strings.Contains(err.Error(), "the background a.pdf cannot be read") || !strings.Contains(err.Error(), "the font go.ttf cannot be read") {
		t.Errorf("%v", err)
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		t.Error("the error names paths of this machine")
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(sound))
	f.Add([]byte("name: x\nfonts: {a: go.ttf}\npage: {width: 100, height: 1e300}\nfields: [{text: '{a?}{b}', x: .nan, size: .inf}]"))
	f.Fuzz(func(t *testing.T, spec []byte) {
		tpl, err := Load(folder(string(spec)))
		if err != nil {
			return
		}
		values := map[string]string{}
		for _, c := range tpl.Columns {
			values[c] = "2026-05-31"
		}
		if _, err := tpl.Render(values); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
	})
}

// TestOtherScripts prints a name that is written from right to left and whose
// letters join, and reads it back.
func TestOtherScripts(t *testing.T) {
	dejavu, err := os.ReadFile("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
	if err != nil {
		t.Skip("DejaVu Sans is not installed")
	}
	dir := folder(strings.Replace(sound, "text: go.ttf", "text: [go.ttf, dejavu.ttf]", 1))
	dir["dejavu.ttf"] = &fstest.MapFile{Data: dejavu}
	tpl, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"محمد علي", "יעל כהן", "Ada (محمد) Byron", "e\u0301a\u0323\u0302x\u0301"} {
		file, err := tpl.Render(map[string]string{"full_name": name, "issue_date": "2026-05-31"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said := text(t, file)
		for word := range strings.FieldsSeq(strings.NewReplacer("(", " ", ")", " ").Replace(norm.NFC.String(name))) {
			if !strings.Contains(norm.NFC.String(said), word) {
				t.Errorf("%q is not in %q", word, said)
			}
		}
		if len(file)-len(tpl.background.Bytes()) > 60<<10 {
			t.Errorf("%s takes %d bytes", name, len(file))
		}
	}
}
