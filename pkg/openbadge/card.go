package openbadge

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"

	xdraw "golang.org/x/image/draw"
)

// StatusSVG draws a small badge for web sites, with who says something and what: the state of a
// certificate at present.
func StatusSVG(label, state string, fill color.NRGBA) ([]byte, error) {
	text, err := newTextOutliner()
	if err != nil {
		return nil, err
	}
	const height, size, pad = 28.0, 13.0, 10.0
	room := func(words string) float64 {
		if text.has(words) {
			return text.width(words)*size + 2*pad
		}
		return float64(len([]rune(words)))*size*0.75 + 2*pad
	}
	const longest = 48
	if runes := []rune(label); len(runes) > longest {
		label = string(runes[:longest-1]) + "…"
	}
	left, right := room(label), room(state)
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%s" height="28" viewBox="0 0 %s 28" role="img" aria-labelledby="t"><title id="t">%s</title>`,
		number(left+right), number(left+right), escapeXML(label+": "+state))
	fmt.Fprintf(&out, `<clipPath id="c"><rect width="%s" height="28" rx="5"/></clipPath><g clip-path="url(#c)"><rect width="%s" height="28" fill="#374151"/><rect x="%s" width="%s" height="28" fill="#%02x%02x%02x"/></g>`,
		number(left+right), number(left), number(left), number(right), fill.R, fill.G, fill.B)
	for _, part := range []struct {
		words  string
		middle float64
	}{{label, left / 2}, {state, left + right/2}} {
		if !text.has(part.words) {
			fmt.Fprintf(&out, `<text x="%s" y="18.7" font-size="13" font-family="sans-serif" font-weight="bold" fill="#fff" text-anchor="middle">%s</text>`, number(part.middle), escapeXML(part.words))
			continue
		}
		o, err := text.line(part.words, part.middle, height/2+0.36*size, size)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&out, `<path fill="#fff" d="%s"/>`, o.path())
	}
	out.WriteString("</svg>\n")
	return out.Bytes(), nil
}

// Card is the picture that social networks show of a certificate's page.
type Card struct {
	Picture        // of the badge
	Name    string // of the recipient; "" where it is not shown
	Kicker  string // what stands above the title
}

// Sides of a card in pixels, as Open Graph has them.
const (
	CardWidth  = 1200
	CardHeight = 630
)

// PNG draws the card. ok is false where the font has no letters for what it says.
func (c Card) PNG() (card []byte, ok bool, err error) {
	text, err := newTextOutliner()
	if err != nil || !text.has(c.Title) || !text.has(c.Name) || !text.has(c.Issuer) || !text.has(c.Kicker) {
		return nil, false, err
	}
	const badge, margin = 480, 75
	small, err := c.Picture.PNG(badge)
	if err != nil {
		return nil, false, err
	}
	drawn, err := png.Decode(bytes.NewReader(small))
	if err != nil {
		return nil, false, fmt.Errorf("drawing a card: %w", err)
	}
	picture := image.NewNRGBA(image.Rect(0, 0, CardWidth, CardHeight))
	draw.Draw(picture, picture.Bounds(), image.NewUniform(color.NRGBA{0xf5, 0xf7, 0xfa, 0xff}), image.Point{}, draw.Src)
	xdraw.Copy(picture, image.Pt(margin, margin), drawn, drawn.Bounds(), draw.Over, nil)
	const middle, width = 875.0, 560.0
	ink, soft := color.NRGBA{0x11, 0x18, 0x27, 0xff}, color.NRGBA{0x4b, 0x55, 0x63, 0xff}
	for _, part := range []struct {
		words string
		at    textArea
		fill  color.NRGBA
	}{
		{c.Kicker, textArea{110, width, 40, 1, 26, 16}, soft}, {c.Title, textArea{250, width, 210, 3, 60, 26}, ink},
		{c.Name, textArea{420, width, 100, 2, 44, 20}, ink}, {c.Issuer, textArea{530, width, 80, 2, 28, 16}, soft},
	} {
		if part.words == "" {
			continue
		}
		lines, size := text.wrap(part.words, part.at)
		for i, line := range lines {
			o, err := text.line(line, middle, part.at.y+0.36*size+(float64(i)-float64(len(lines)-1)/2)*leading*size, size)
			if err != nil {
				return nil, false, err
			}
			o.fill(picture, 1, part.fill)
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, picture); err != nil {
		return nil, false, fmt.Errorf("writing a card: %w", err)
	}
	return out.Bytes(), true, nil
}
