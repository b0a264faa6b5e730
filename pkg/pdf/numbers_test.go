package pdf

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// TestDanglingReferencesStaySo stamps documents that refer to objects which are not there. Had
// new objects such numbers, they would be drawn where the original refers to them.
func TestDanglingReferencesStaySo(t *testing.T) {
	t.Parallel()
	const far = 90
	drawn := func(resources string) string {
		return "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<" + resources + ">>>>"
	}
	content := stream("", "q 5 0 0 5 100 300 cm /X1 Do Q")
	plain := plainObjects().with(4, content)
	behindStream := plain.with(3, drawn("/XObject 6 0 R")).with(6, "<</X1 90 0 R>>").with(7, stream("/Extra[90 0 R]", "endobj 12345 0 R"))
	for name, document := range map[string][]byte{
		"in resources":           plain.with(3, drawn("/XObject<</X1 90 0 R>>")).table(""),
		"with a stream":          plain.with(3, drawn("/XObject<</X1 90 0 R>>")).streamed(),
		"in an object stream":    plain.with(3, drawn("/XObject 6 0 R")).with(6, "<</X1 90 0 R>>").streamed(6),
		"on a page of its own":   plain.with(2, "<</Type/Pages/Kids[3 0 R 8 0 R]/Count 2>>").with(8, drawn("/XObject<</X1 90\n0\tR>>")).table(""),
		"behind a stream's data": behindStream.table(""),
		"far into an object":     plain.with(6, "[("+strings.Repeat("x", 20_000)+")90 0 R]").table(""),
		"across two pieces":      plain.with(6, "["+strings.Repeat(" 1 0 R", 3000)+" 90 0 R]").table(""),
		"in the trailer":         plain.table("/Info 90 0 R"),
		"in a broken file":       bytes.Replace(plain.with(3, drawn("/XObject<</X1 90 0 R>>")).table(""), []byte("startxref\n"), []byte("startxref\n1"), 1),
	} {
		file := sealed(t, document)
		f, err := xref.Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !f.Object(refTo(far)).IsNull() {
			t.Errorf("%s: object %d is %s now", name, far, f.Object(refTo(far)).Object)
		}
		if next, err := f.NextNumber(); err != nil || next <= far {
			t.Errorf("%s: the next number is %d, %v", name, next, err)
		}
		if v, err := Verify(bytes.NewReader(file), int64(len(file))); err != nil || !v.Valid {
			t.Errorf("%s: %s, %v", name, v.Sentence, err)
		}
		f.Close()
	}
}

// TestCodeAboveAnnotations stamps a page that an annotation covers, and draws it without form
// fields.
func TestCodeAboveAnnotations(t *testing.T) {
	t.Parallel()
	cover := "<</Type/Annot/Subtype/Square/Rect[0 0 595 842]/F 4/AP<</N 7 0 R>>>>"
	o := plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 5 0 R>>>>/Contents 4 0 R/Annots[6 0 R]>>").
		with(6, cover).with(7, stream("/Type/XObject/Subtype/Form/BBox[0 0 595 842]", "1 1 0 rg 0 0 595 842 re f"))
	file := sealed(t, o.table(""))
	f, err := xref.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := page.Find(f, 1)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for a := range f.Elems(f.Get(p.Value, "Annots")) {
		kinds = append(kinds, f.Get(a, "Subtype").Text())
	}
	if got := fmt.Sprint(kinds); got != "[Square Stamp Widget]" {
		t.Errorf("the page has the annotations %s", got)
	}
	if v, err := Verify(bytes.NewReader(file), int64(len(file))); err != nil || !v.Valid {
		t.Errorf("%s, %v", v.Sentence, err)
	}
	// The field is as if it were hidden; the length stays the same.
	without := bytes.Replace(file, []byte("/FT/Sig/F 132/"), []byte("/FT/Sig/F 2  /"), 1)
	tool, err := exec.LookPath("pdftoppm")
	zbar, missing := exec.LookPath("zbarimg")
	if err != nil || missing != nil {
		t.Skip("pdftoppm or zbarimg is not here")
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.pdf"), without)
	if out, err := exec.Command(tool, "-r", "150", "-png", "-singlefile", filepath.Join(dir, "a.pdf"), filepath.Join(dir, "a")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := exec.Command(zbar, "-q", filepath.Join(dir, "a.png")).CombinedOutput(); err != nil || !strings.Contains(strings.ToUpper(string(out)), strings.ToUpper(testMark().URL)) {
		t.Errorf("without form fields the page says %s: %v", out, err)
	}
	// A form field that covers the page is not drawn there: the content's code is seen.
	field := o.with(6, strings.Replace(cover, "Square", "Widget/FT/Btn/T(b)", 1))
	if again := sealed(t, field.table("")); bytes.Contains(again[len(field.table("")):], []byte("/Subtype/Stamp")) {
		t.Error("an annotation lies over a form field that covers the code")
	}
}

// TestJunkXFA stamps a document whose form says that it is made by XFA, and is not.
func TestJunkXFA(t *testing.T) {
	t.Parallel()
	for _, xfa := range []string{"4 0 R", "[]", "(x)", "7", "[(template)4 0 R]", "99 0 R", "<</Length 3>>"} {
		file := sealed(t, plainObjects().with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</XFA "+xfa+"/Fields[]>>>>").table(""))
		if v, err := Verify(bytes.NewReader(file), int64(len(file))); err != nil || !v.Valid {
			t.Errorf("%s: %s, %v", xfa, v.Sentence, err)
		}
	}
}

// TestLastPage stamps the last page, whose size is not that of the first.
func TestLastPage(t *testing.T) {
	t.Parallel()
	page := func(w, h int) string {
		return fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 4 0 R/Resources<<>>>>", w, h)
	}
	o := plainObjects().with(2, "<</Type/Pages/Kids[3 0 R 6 0 R 7 0 R]/Count 3>>").with(6, "<</Type/Pages/Parent 2 0 R/Kids[8 0 R]/Count 1>>").with(8, page(500, 500)).with(7, page(720, 360))
	m := testMark()
	for number, want := range map[int]string{0: "1 of 3, 210 x 297", 1: "1 of 3, 210 x 297", 2: "2 of 3, 176 x 176", 3: "3 of 3, 254 x 127", LastPage: "3 of 3, 254 x 127"} {
		m.Page = number
		u, err := NewStamper(testSigner()).Stamp(source(o.table("")), m)
		if got := fmt.Sprintf("%d of %d, %.0f x %.0f", u.Place.Page, u.Pages, u.WidthMM, u.HeightMM); err != nil || got != want {
			t.Errorf("page %d: %s, %v", number, got, err)
		}
	}
}

// BenchmarkNextNumber goes through a document of 5,000 objects.
func BenchmarkNextNumber(b *testing.B) {
	o := plainObjects()
	for n := 10; n < 5010; n++ {
		o[n] = "<</Type/Annot/Subtype/Link/Rect[0 0 10 10]/A<</S/URI/URI(https://example.org)>>/P 3 0 R>>"
	}
	document := o.table("")
	for b.Loop() {
		f, err := xref.Open(bytes.NewReader(document), int64(len(document)))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.NextNumber(); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
}
