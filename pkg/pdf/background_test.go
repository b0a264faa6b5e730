package pdf

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"

	"github.com/vecctl/vecctl/pkg/pdf/readback"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// set is a text of one glyph a character.
func set(t testing.TB, file []byte, face *Font, size, x, y float64, says string) Text {
	t.Helper()
	font, err := sfnt.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	text := Text{Font: face, Size: size, X: x, Y: y, Colour: [3]uint8{20, 40, 120}}
	var buf sfnt.Buffer
	for _, c := range says {
		g, err := font.GlyphIndex(&buf, c)
		if err != nil || g == 0 {
			t.Fatalf("no glyph for %q", c)
		}
		text.Glyphs = append(text.Glyphs, Glyph{ID: uint16(g), Advance: float64(face.Advance(uint16(g))) / float64(face.UnitsPerEm), Text: string(c)})
	}
	return text
}

func faces(t testing.TB) (regular, italic *Font) {
	t.Helper()
	regular, err := ParseFont(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	if italic, err = ParseFont(goitalic.TTF); err != nil {
		t.Fatal(err)
	}
	return regular, italic
}

// TestPrint prints on pages of several kinds, stamps them, and reads all back.
func TestPrint(t *testing.T) {
	regular, italic := faces(t)
	var blank, pictured bytes.Buffer
	if err := WritePage(&blank, 297, 210, nil); err != nil {
		t.Fatal(err)
	}
	m := image.NewGray(image.Rect(0, 0, 60, 40))
	for i := range m.Pix {
		m.Pix[i] = 200
	}
	m.SetGray(3, 3, color.Gray{Y: 100})
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Fatal(err)
	}
	if err := WritePage(&pictured, 210, 148, file.Bytes()); err != nil {
		t.Fatal(err)
	}
	for name, background := range map[string][]byte{
		"blank": blank.Bytes(), "an image": pictured.Bytes(), "a PDF": plainObjects().table(""), "streams": plainObjects().streamed(1, 2, 3, 5),
		"turned": plainObjects().with(3, "<</Type/Page/Parent 2 0 R/MediaBox[10 20 610 820]/Rotate 90/UserUnit 1.5/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>").table(""),
	} {
		t.Run(name, func(t *testing.T) {
			sheet, err := NewBackground(background)
			if err != nil {
				t.Fatal(err)
			}
			texts := []Text{set(t, goregular.TTF, regular, 24, 60, 120, "Zoë Ångström (née Łukasik)"),
				set(t, goitalic.TTF, italic, 12, 60, 160, "with highest honours")}
			first, err := sheet.Render(Label{Title: "Degree - Ada", Language: "en"}, []Block{{Texts: texts, Role: Paragraph}})
			if err != nil {
				t.Fatal(err)
			}
			second, err := sheet.Render(Label{Title: "Degree - Ada", Language: "en"}, []Block{{Texts: texts, Role: Paragraph}})
			if err != nil || !bytes.Equal(first, second) {
				t.Errorf("not the same bytes each time: %v", err)
			}
			if added := len(first) - len(background); added > 12<<10 {
				t.Errorf("it takes %d bytes", added)
			}
			if !readback.CanRender() {
				t.Skip("poppler and zbar are not installed")
			}
			tail, err := NewStamper(testSigner()).Stamp(source(first), testMark())
			if err != nil {
				t.Fatal(err)
			}
			for _, complaint := range complaints(t.Context(), filepath.Join(t.TempDir(), "x"), first, tail) {
				t.Error(complaint)
			}
			path := filepath.Join(t.TempDir(), "printed.pdf")
			write(t, path, slices.Concat(first, tail.Bytes))
			if said := string(mustTool(t, nil, "pdftotext", "-layout", path, "-")); !strings.Contains(said, "Zoë Ångström (née Łukasik)") || !strings.Contains(said, "with highest honours") {
				t.Errorf("it says %q", said)
			}
			if fonts := string(mustTool(t, nil, "pdffonts", path)); strings.Count(fonts, "+Go") != 2 || strings.Count(fonts, "yes yes yes") != 2 {
				t.Errorf("the fonts are\n%s", fonts)
			}
		})
	}
}

func TestBadBackgrounds(t *testing.T) {
	two := plainObjects().with(2, "<</Type/Pages/Kids[3 0 R 6 0 R]/Count 2>>")
	two[6] = two[3]
	for name, tt := range map[string]struct {
		file   []byte
		reason Reason
		says   string
	}{
		"two pages": {two.table(""), reject.NoSuchPage, "has 2 pages"},
		"signed":    {sealed(t, plainObjects().table("")), reject.ChangesForbidden, "carries a signature"},
		"no PDF":    {[]byte("text"), reject.NotPDF, "not a PDF"},
	} {
		_, err := NewBackground(tt.file)
		if r, ok := errors.AsType[*Rejection](err); !ok || r.Reason != tt.reason || !strings.Contains(r.Message, tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
