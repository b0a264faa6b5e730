package openbadge

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // logos
	"image/png"
	"math"
	"strings"

	xdraw "golang.org/x/image/draw"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Shape is the outline of a badge picture.
type Shape string

// The shapes that there are.
const (
	Circle  Shape = "circle"
	Hexagon Shape = "hexagon"
	Shield  Shape = "shield"
)

// Shapes lists them.
func Shapes() []Shape { return []Shape{Circle, Hexagon, Shield} }

// Picture is what a badge shows.
type Picture struct {
	Shape  Shape
	Title  string
	Issuer string
	// Logo is the issuer's, as a PNG or JPEG; nil for none. Ground is the colour of the badge; nil
	// takes that of the logo.
	Logo     []byte
	LogoType string
	Ground   *color.NRGBA
}

// side is the length of a picture's sides in its own units.
const side = 600.0

// layer is an outline that is filled with a colour.
type layer struct {
	outline outline
	fill    color.NRGBA
}

// drawing is a badge as layers, with the logo in a box.
type drawing struct {
	layers []layer
	logo   image.Image // nil for none
	box    [4]float64  // of the logo: left, top, width, height
	// words are lines that the font has no letters for; only SVG shows them.
	words []wordLine
}

type wordLine struct {
	text    string
	y, size float64
}

func (d *drawing) add(o outline, c color.NRGBA) { d.layers = append(d.layers, layer{o, c}) }

func (p Picture) outline(r float64) outline {
	middle := point{side / 2, side / 2}
	switch p.Shape {
	case Hexagon:
		return hexagon(middle, r)
	case Shield:
		return shield(middle, r)
	case Circle:
	}
	return circle(middle, r)
}

// Colours of a badge. White on the ground has a contrast of at least 4.5 (WCAG 2.2, 1.4.3).
func white() color.NRGBA       { return color.NRGBA{0xff, 0xff, 0xff, 0xff} }
func usualGround() color.NRGBA { return color.NRGBA{0x1d, 0x4e, 0x89, 0xff} }

// draw lays the badge out: an edge that shows on light and on dark, the ground, a disc with the logo
// or a star, and below it the title and who awards it.
func (p Picture) draw() (*drawing, error) {
	d := &drawing{}
	logo, err := p.readLogo()
	if err != nil {
		return nil, err
	}
	ground := usualGround()
	if p.Ground != nil {
		ground = *p.Ground
	} else if logo != nil {
		ground = prevailing(logo, usualGround())
	}
	ground = darkened(ground)
	deep := color.NRGBA{ground.R / 2, ground.G / 2, ground.B / 2, 0xff}
	d.add(p.outline(296), deep)
	d.add(p.outline(286), white())
	d.add(p.outline(270), ground)
	const discY, discR = 172.0, 82.0
	d.add(circle(point{side / 2, discY}, discR), white())
	if logo != nil {
		d.logo, d.box = logo, fitInto(logo.Bounds(), point{side / 2, discY}, discR*1.3)
	} else {
		d.add(star(point{side / 2, discY}, discR*0.62), ground)
	}
	text, err := newTextOutliner()
	if err != nil {
		return nil, err
	}
	title, issuer := p.textAreas()
	if err := d.addText(text, p.Title, title); err != nil {
		return nil, err
	}
	return d, d.addText(text, p.Issuer, issuer)
}

// textAreas are where the title and the issuer go: what of the shape is wide enough.
func (p Picture) textAreas() (title, issuer textArea) {
	switch p.Shape {
	case Hexagon:
		return textArea{338, 396, 140, 3, 56, 22}, textArea{460, 240, 60, 2, 23, 13}
	case Shield:
		return textArea{334, 400, 134, 3, 54, 22}, textArea{448, 240, 56, 2, 22, 13}
	case Circle:
	}
	return textArea{346, 402, 150, 3, 56, 22}, textArea{486, 280, 66, 2, 26, 14}
}

// textArea is where a text goes: its middle line, how wide and how high it is, in how many lines,
// in which sizes.
type textArea struct {
	y, width    float64
	height      float64
	lines       int
	most, least float64
}

// addText sets a text. Where the font has no letters for it, it becomes words, which a browser sets.
func (d *drawing) addText(text *textOutliner, words string, at textArea) error {
	words = strings.Join(strings.Fields(words), " ")
	if words == "" {
		return nil
	}
	known := text.has(words)
	lines, size := []string{words}, 0.0
	if known {
		lines, size = text.wrap(words, at)
	} else {
		size = min(at.most, at.width/float64(len([]rune(words)))*1.7)
		size = max(size, at.least)
	}
	for i, line := range lines {
		base := at.y + 0.36*size + (float64(i)-float64(len(lines)-1)/2)*leading*size
		if !known {
			d.words = append(d.words, wordLine{line, base, size})
			continue
		}
		o, err := text.line(line, side/2, base, size)
		if err != nil {
			return err
		}
		d.add(o, white())
	}
	return nil
}

// maxLogoSide is more pixels than any logo that is drawn may have on a side.
const maxLogoSide = 4096

func (p Picture) readLogo() (image.Image, error) {
	if len(p.Logo) == 0 {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(p.Logo))
	if err != nil || size.Width > maxLogoSide || size.Height > maxLogoSide || size.Width*size.Height == 0 {
		return nil, fault.New(fault.Invalid, "the logo cannot be drawn: it is no PNG or JPEG of at most 4,096 pixels on each side")
	}
	logo, _, err := image.Decode(bytes.NewReader(p.Logo))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the logo cannot be drawn: it is damaged")
	}
	return logo, nil
}

// fitInto returns the box of a picture in a square around a middle.
func fitInto(bounds image.Rectangle, middle point, room float64) [4]float64 {
	w, h := float64(bounds.Dx()), float64(bounds.Dy())
	scale := room / max(w, h)
	if w > 1.6*h || h > 1.6*w {
		scale = room * 1.12 / max(w, h)
	}
	return [4]float64{middle.x - w*scale/2, middle.y - h*scale/2, w * scale, h * scale}
}

// prevailing returns the colour that a logo has most of, without white, black and grey.
func prevailing(logo image.Image, byDefault color.NRGBA) color.NRGBA {
	bounds := logo.Bounds()
	type sum struct{ n, r, g, b int }
	counts := map[[3]uint8]*sum{}
	step := max(1, bounds.Dx()/64, bounds.Dy()/64)
	var most *sum
	for y := bounds.Min.Y; y < bounds.Max.Y; y += step {
		for x := bounds.Min.X; x < bounds.Max.X; x += step {
			c, _ := color.NRGBAModel.Convert(logo.At(x, y)).(color.NRGBA)
			high, low := max(c.R, c.G, c.B), min(c.R, c.G, c.B)
			if c.A < 0x80 || high-low < 0x28 {
				continue
			}
			key := [3]uint8{c.R >> 5, c.G >> 5, c.B >> 5}
			s := counts[key]
			if s == nil {
				s = &sum{}
				counts[key] = s
			}
			s.n, s.r, s.g, s.b = s.n+1, s.r+int(c.R), s.g+int(c.G), s.b+int(c.B)
			if most == nil || s.n > most.n {
				most = s
			}
		}
	}
	if most == nil {
		return byDefault
	}
	return color.NRGBA{uint8(most.r / most.n), uint8(most.g / most.n), uint8(most.b / most.n), 0xff}
}

// darkened returns a colour that is dark enough for white letters.
func darkened(c color.NRGBA) color.NRGBA {
	c.A = 0xff
	for contrastToWhite(c) < 4.6 {
		c.R, c.G, c.B = uint8(int(c.R)*19/20), uint8(int(c.G)*19/20), uint8(int(c.B)*19/20)
	}
	return c
}

func contrastToWhite(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		return math.Pow(float64(v)/255, 2.2) // close to the curve of sRGB
	}
	return 1.05 / (0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B) + 0.05)
}

// SVG writes the badge for browsers and for those who cannot see it. It needs no font.
func (p Picture) SVG() ([]byte, error) {
	d, err := p.draw()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="600" height="600" viewBox="0 0 600 600" role="img" aria-labelledby="t"><title id="t">%s</title>`,
		escapeXML(p.Title+" – "+p.Issuer))
	for _, l := range d.layers {
		fmt.Fprintf(&out, `<path fill="#%02x%02x%02x" d="%s"/>`, l.fill.R, l.fill.G, l.fill.B, l.outline.path())
	}
	if d.logo != nil {
		fmt.Fprintf(&out, `<image x="%s" y="%s" width="%s" height="%s" href="data:%s;base64,%s"/>`,
			number(d.box[0]), number(d.box[1]), number(d.box[2]), number(d.box[3]), escapeXML(p.LogoType), base64.StdEncoding.EncodeToString(p.Logo))
	}
	for _, w := range d.words {
		fmt.Fprintf(&out, `<text x="300" y="%s" font-size="%s" font-family="sans-serif" font-weight="bold" fill="#fff" text-anchor="middle">%s</text>`,
			number(w.y), number(w.size), escapeXML(w.text))
	}
	out.WriteString("</svg>\n")
	return out.Bytes(), nil
}

func escapeXML(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a builder takes everything
	return out.String()
}

// PNG draws the badge as a square of so many pixels on a side, on nothing.
func (p Picture) PNG(pixels int) ([]byte, error) {
	d, err := p.draw()
	if err != nil {
		return nil, err
	}
	picture := image.NewNRGBA(image.Rect(0, 0, pixels, pixels))
	scale := float64(pixels) / side
	for _, l := range d.layers {
		l.outline.fill(picture, scale, l.fill)
	}
	if d.logo != nil {
		box := image.Rect(int(d.box[0]*scale), int(d.box[1]*scale), int((d.box[0]+d.box[2])*scale), int((d.box[1]+d.box[3])*scale))
		xdraw.CatmullRom.Scale(picture, box, d.logo, d.logo.Bounds(), draw.Over, nil)
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("writing a picture: %w", err)
	}
	return out.Bytes(), nil
}
