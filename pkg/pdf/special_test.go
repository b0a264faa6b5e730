package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vecctl/vecctl/pkg/pdf/readback"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

const archivalXMP = `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`

// TestArchival shows that what is drawn on a PDF/A needs no font and no colour
// that is not in the file.
func TestArchival(t *testing.T) {
	original := plainObjects().with(1, "<</Type/Catalog/Pages 2 0 R/Metadata 6 0 R>>").
		with(6, stream("/Type/Metadata/Subtype/XML", archivalXMP)).table("/Info<</Title(Certificate)>>")
	tail, err := NewStamper(testSigner()).Stamp(source(original), testMark())
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"Helvetica", "Device"} {
		if bytes.Contains(tail.Bytes, []byte(word)) {
			t.Errorf("the tail has %s", word)
		}
	}
	for _, word := range []string{"/CalGray", "/AP<</N", "/F 132", "/Metadata 6 0 R", "/Info<</Title(Certificate)>>"} {
		if !bytes.Contains(tail.Bytes, []byte(word)) {
			t.Errorf("the tail has no %s", word)
		}
	}
	whole := slices.Concat(original, tail.Bytes)
	if !readback.CanRender() {
		t.Skip("poppler and zbar are not installed")
	}
	for _, complaint := range complaints(t.Context(), filepath.Join(t.TempDir(), "x"), original, tail) {
		t.Error(complaint)
	}
	path := filepath.Join(t.TempDir(), "x.pdf")
	write(t, path, whole)
	if dark := ink(t, path, tail.Place); dark < 0.02 || dark > 0.4 {
		t.Errorf("of the strip under the code, %.0f %% are dark: there should be a caption", 100*dark)
	}
	if fonts := mustTool(t, nil, "pdffonts", path); bytes.Contains(fonts, []byte("Helvetica")) {
		t.Errorf("the fonts are\n%s", fonts)
	}
}

// ink is how much of the strip under the code is dark.
func ink(t *testing.T, path string, at Place) float64 {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(mustTool(t, nil, "pdftoppm", "-r", "300", "-png", path)))
	if err != nil {
		t.Fatal(err)
	}
	w, h := float64(m.Bounds().Dx()), float64(m.Bounds().Dy())
	dark, all := 0, 0
	for y := int((at.Y+at.H)*h) + 1; y < int((at.Y+at.H*1.2)*h); y++ {
		for x := int(at.X * w); x < int((at.X+at.W)*w); x++ {
			if r, _, _, _ := m.At(x, y).RGBA(); r < 0x8000 {
				dark++
			}
			all++
		}
	}
	return float64(dark) / float64(all)
}

// TestInformationStays shows that what a document says of itself is kept.
func TestInformationStays(t *testing.T) {
	original := plainObjects().with(6, "<</Title(Degree)/Author(Registrar)>>").table("/Info 6 0 R/ID[<0102><0304>]")
	whole := sealed(t, original)
	tail := whole[len(original):]
	if !bytes.HasPrefix(whole, original) || !bytes.Contains(tail, []byte("/Info 6 0 R")) {
		t.Error("the document information is gone")
	}
	if at := bytes.Index(tail, []byte("/ID[<0102><")); at < 0 || bytes.HasPrefix(tail[at:], []byte("/ID[<0102><0304>")) {
		t.Error("the file identifier is not updated as it should be")
	}
}

// TestEarlierSignatures seals what is signed already.
func TestEarlierSignatures(t *testing.T) {
	original := plainObjects().table("")
	for name, first := range map[string][]byte{
		"certified": sealed(t, original),
		"visible":   sealed(t, original, WithVisibleSignature()),
		"streams":   sealed(t, plainObjects().streamed(1, 2, 3, 5)),
	} {
		t.Run(name, func(t *testing.T) {
			second := sealed(t, first)
			third := sealed(t, second)
			if !bytes.HasPrefix(third, second) || !bytes.HasPrefix(second, first) {
				t.Fatal("what was signed was changed")
			}
			v := mustVerify(t, third)
			if !v.Valid || len(v.Signatures) != 3 || v.Signatures[0].Certifies != 2 || v.Signatures[2].Certifies != 0 {
				t.Errorf("%+v", v)
			}
			for i, s := range v.Signatures {
				if !s.Intact || s.CoversWholeFile != (i == 2) {
					t.Errorf("signature %d: %+v", i, s)
				}
			}
			// The page's own content is as it was signed.
			for _, key := range []string{"/Contents[", "/Perms"} {
				for _, part := range bytes.Split(third[len(first):], []byte(key))[1:] {
					if !bytes.Contains(first, append([]byte(key), part[:12]...)) {
						t.Errorf("a later signature changes %s", key)
					}
				}
			}
			pdfsig(t, third, 3)
		})
	}
}

// TestRedrawnForms shows the code where a form asks viewers to draw its fields
// anew, for which poppler leaves a signature's appearance out.
func TestRedrawnForms(t *testing.T) {
	form := func(field string) objects {
		return plainObjects().with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm 6 0 R>>").
			with(6, "<</NeedAppearances true/DR<<>>/Fields[7 0 R]>>").with(7, field)
	}
	const text = "<</FT/Tx/T(a)/V(b)/DA(/Helv 9 Tf)/Subtype/Widget/Rect[9 9 99 20]"
	drawn := form(text+"/AP<</N 8 0 R>>>>").with(8, stream("/Subtype/Form/BBox[0 0 90 11]", ""))
	earlier := "<</FT/Sig/T(s)/V<</Type/Sig/Filter/X/SubFilter/Y/Contents<00>/ByteRange[0 1 1 1]>>/Subtype/Widget/Rect[0 0 0 0]>>"
	for name, tt := range map[string]struct {
		original []byte
		seen     bool
	}{
		"not signed":             {form(text + ">>").table(""), true},
		"not signed, drawn":      {drawn.table(""), true},
		"signed":                 {drawn.with(6, "<</NeedAppearances true/Fields[7 0 R 9 0 R]>>").with(9, earlier).table(""), true},
		"signed, nothing drawn":  {form(earlier).table(""), true},
		"signed, fields undrawn": {form(text+">>").with(6, "<</NeedAppearances true/Fields[7 0 R 9 0 R]>>").with(9, earlier).table(""), false},
	} {
		t.Run(name, func(t *testing.T) {
			tail, err := NewStamper(testSigner(), WithVisibleSignature()).Stamp(source(tt.original), testMark())
			if err != nil {
				t.Fatal(err)
			}
			whole := slices.Concat(tt.original, tail.Bytes)
			if v := mustVerify(t, whole); !v.Valid {
				t.Error(v.Sentence)
			}
			if kept := bytes.Contains(tail.Bytes, []byte("/NeedAppearances true")); kept == tt.seen && name != "not signed" {
				t.Errorf("that fields are drawn anew is kept: %v", kept)
			}
			if !readback.CanRender() || !tt.seen {
				return
			}
			if _, err := ReadBack(t.Context(), bytes.NewReader(whole), int64(len(whole)), tail.Place, testURL); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestEarlierSignatureLevels refuses what a certification forbids.
func TestEarlierSignatureLevels(t *testing.T) {
	for level, want := range map[int]Reason{1: reject.ChangesForbidden, 2: "", 3: ""} {
		file := plainObjects().with(1, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[7 0 R]>>/Perms<</DocMDP 6 0 R>>>>").
			with(6, fmt.Sprintf("<</Type/Sig/Reference[<</TransformMethod/DocMDP/TransformParams<</P %d>>>>]>>", level)).
			with(7, "<</FT/Sig/T(a)/V 6 0 R>>").table("")
		_, err := NewStamper(testSigner()).Stamp(source(file), testMark())
		r, _ := errors.AsType[*Rejection](err)
		if got := ""; r != nil && r.Reason != want || r == nil && (err != nil || want != "") {
			t.Errorf("level %d: %v, want %q %s", level, err, want, got)
		}
	}
}

// TestPlaces draws the code in every corner, whichever way the page is turned.
func TestPlaces(t *testing.T) {
	for rotate := 0; rotate < 360; rotate += 90 {
		for corner, where := range map[Corner][2]bool{BottomRight: {true, false}, BottomLeft: {}, TopRight: {true, true}, TopLeft: {false, true}} {
			for _, option := range [][]StamperOption{nil, {WithVisibleSignature()}} {
				t.Run(fmt.Sprintf("%d-%d-%d", rotate, corner, len(option)), func(t *testing.T) {
					original := plainObjects().with(3, fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[10 20 410 620]/Rotate %d/UserUnit 1.5/Contents 4 0 R>>", rotate)).table("")
					m := testMark()
					m.Corner = corner
					tail, err := NewStamper(testSigner(), option...).Stamp(source(original), m)
					if err != nil {
						t.Fatal(err)
					}
					p := tail.Place
					w, h := 400*1.5/72*25.4, 600*1.5/72*25.4
					if rotate%180 != 0 {
						w, h = h, w
					}
					if side := p.W * w; math.Abs(side-22) > 0.01 || math.Abs(p.H*h-22) > 0.01 {
						t.Errorf("the code is %.2f x %.2f mm", side, p.H*h)
					}
					right, top := p.X > 0.5, p.Y < 0.5
					if right != where[0] || top != where[1] {
						t.Errorf("the code lies at %.2f, %.2f", p.X, p.Y)
					}
					edge := min(p.X*w, (1-p.X-p.W)*w)
					if math.Abs(edge-8) > 0.01 {
						t.Errorf("the code is %.2f mm from the page's edge", edge)
					}
					whole := slices.Concat(original, tail.Bytes)
					if !readback.CanRender() {
						t.Skip("poppler and zbar are not installed")
					}
					if _, err := ReadBack(t.Context(), bytes.NewReader(whole), int64(len(whole)), p, testURL); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// TestWhichPage shows that a document of several pages is marked on the one
// that is asked for.
func TestWhichPage(t *testing.T) {
	o := plainObjects().with(2, "<</Type/Pages/Kids[3 0 R 6 0 R 7 0 R]/Count 3>>")
	o[6] = "<</Type/Pages/Parent 2 0 R/Kids[8 0 R]/Count 1>>"
	o[7], o[8] = o[3], o[3]
	for page, object := range map[int]string{0: "\n3 0 obj", 1: "\n3 0 obj", 2: "\n8 0 obj", 3: "\n7 0 obj"} {
		m := testMark()
		m.Page = page
		tail, err := NewStamper(testSigner()).Stamp(source(o.table("")), m)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(tail.Bytes, []byte(object)) || tail.Place.Page != max(page, 1) {
			t.Errorf("page %d: another one is marked", page)
		}
	}
}

// TestProducers seals documents of the programs that are installed here.
func TestProducers(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write(t, path("in.pdf"), plainObjects().table(""))
	write(t, path("in.ps"), []byte("%!PS\n/Times-Roman 24 selectfont 72 720 moveto (Certificate) show showpage\n"))
	for name, command := range map[string][]string{
		"qpdf linearized":   {"qpdf", "--linearize", path("in.pdf"), path("out.pdf")},
		"qpdf streams":      {"qpdf", "--object-streams=generate", "--compress-streams=y", path("in.pdf"), path("out.pdf")},
		"qpdf by hand":      {"qpdf", "--qdf", path("in.pdf"), path("out.pdf")},
		"Ghostscript":       {"gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-o", path("out.pdf"), path("in.ps")},
		"Ghostscript 1.3":   {"gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-dCompatibilityLevel=1.3", "-o", path("out.pdf"), path("in.ps")},
		"Ghostscript PDF/A": {"gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-dPDFA=2", "-sColorConversionStrategy=RGB", "-o", path("out.pdf"), path("in.ps")},
		"Cairo":             {"pdftocairo", "-pdf", path("in.pdf"), path("out.pdf")},
		"poppler":           {"pdfunite", path("in.pdf"), path("in.pdf"), path("out.pdf")},
		"ImageMagick":       {"convert", "-size", "595x842", "xc:white", path("out.pdf")},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skipf("%s is not installed", command[0])
			}
			if out, err := tool(t, nil, command[0], command[1:]...); err != nil {
				t.Skipf("%s does not write such a file here: %s", command[0], out)
			}
			file, err := os.ReadFile(path("out.pdf"))
			if err != nil {
				t.Fatal(err)
			}
			tail, err := NewStamper(testSigner()).Stamp(source(file), testMark())
			if err != nil {
				t.Fatal(err)
			}
			if v := mustVerify(t, slices.Concat(file, tail.Bytes)); !v.Valid {
				t.Error(v.Sentence)
			}
			if readback.CanRender() {
				for _, complaint := range complaints(t.Context(), path("x"), file, tail) {
					t.Error(complaint)
				}
			}
		})
	}
}
