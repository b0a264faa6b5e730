package openbadge_test

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"testing"

	"github.com/vecctl/vecctl/pkg/openbadge"
)

// logo is a picture of one colour.
func logo(t *testing.T, c color.Color) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 40, 20))
	for y := range 20 {
		for x := range 40 {
			picture.Set(x, y, c)
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPicture draws badges in each shape, with and without a logo, with titles of any length and
// script: the SVG is XML with the title in it, and needs no font for letters that are known; the PNG
// is empty at its corners, and full in the middle.
func TestPicture(t *testing.T) {
	t.Parallel()
	for _, shape := range openbadge.Shapes() {
		for _, title := range []string{"First Aid", `"Quotes" <b>&amp;</b>`, strings.Repeat("Mathematics ", 21), strings.Repeat("W", 255), "شهادة في الرياضيات", "😀", ""} {
			p := openbadge.Picture{Shape: shape, Title: title, Issuer: "Northgate", Logo: logo(t, color.RGBA{0xff, 0x20, 0x20, 0xff}), LogoType: "image/png"}
			svg, err := p.SVG()
			if err != nil {
				t.Fatal(err)
			}
			text := xmlText(t, svg)
			if !strings.Contains(text, title+" – Northgate") {
				t.Errorf("%s, %q: the SVG says %q", shape, title, text)
			}
			if title == "First Aid" && bytes.Contains(svg, []byte("<text")) {
				t.Errorf("%s: letters are left to fonts", shape)
			}
			picture := decoded(t, p, 200)
			if _, _, _, a := picture.At(1, 1).RGBA(); a != 0 {
				t.Errorf("%s: the corner is not empty", shape)
			}
			// The ground has the colour of the logo, dark enough for white letters.
			if r, g, _, a := picture.At(100, 20).RGBA(); a != 0xffff || r < 2*g {
				t.Errorf("%s: the ground is %v", shape, picture.At(100, 20))
			}
		}
	}
	if _, err := (openbadge.Picture{Title: "x", Logo: []byte("no picture")}).SVG(); err == nil {
		t.Error("a logo that is none is drawn")
	}
}

func decoded(t *testing.T, p openbadge.Picture, side int) image.Image {
	t.Helper()
	data, err := p.PNG(side)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil || picture.Bounds().Dx() != side {
		t.Fatal(err)
	}
	return picture
}

// xmlText returns the text of a document that must be XML.
func xmlText(t *testing.T, document []byte) string {
	t.Helper()
	var text strings.Builder
	d := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return text.String()
		}
		if err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		if data, ok := token.(xml.CharData); ok {
			text.Write(data)
		}
	}
}

// TestCardAndStatus draws the card of a page and the small picture for web sites.
func TestCardAndStatus(t *testing.T) {
	t.Parallel()
	p := openbadge.Picture{Title: strings.Repeat("Title ", 40), Issuer: "Northgate"}
	data, ok, err := openbadge.Card{Picture: p, Name: "Zoë Łoś", Kicker: "Certificate"}.PNG()
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if size, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || size.Width != 1200 || size.Height != 630 {
		t.Errorf("the card is %d x %d (%v)", size.Width, size.Height, err)
	}
	if _, ok, err := (openbadge.Card{Picture: p, Name: "王小明"}).PNG(); ok || err != nil {
		t.Errorf("a name without letters in the font is drawn: %v", err)
	}
	for _, label := range []string{"Northgate", "王小明 <&>", strings.Repeat("x", 300)} {
		svg, err := openbadge.StatusSVG(label, "Valid", color.NRGBA{A: 0xff})
		if err != nil || !strings.Contains(xmlText(t, svg), ": Valid") {
			t.Errorf("%q: %s (%v)", label, svg, err)
		}
	}
}
