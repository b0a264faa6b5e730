package web

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"github.com/vecctl/vecctl/authority"
)

type point struct{ x, y float32 }

// segment is a part of an outline: a move, a line, or a curve of the second or
// third order, as SVG's commands M, L, Q and C are.
type segment struct {
	command byte
	points  [3]point
}

func (s segment) used() []point {
	switch s.command {
	case 'Q':
		return s.points[:2]
	case 'C':
		return s.points[:3]
	}
	return s.points[:1]
}

type outline []segment

// rounded is a rectangle with round corners.
func rounded(x, y, w, h, r float32) outline {
	const bow = 0.5523 // of a quarter of a circle by a cubic curve
	k := r * (1 - bow)
	right, bottom := x+w, y+h
	line := func(x, y float32) segment { return segment{'L', [3]point{{x, y}}} }
	curve := func(x1, y1, x2, y2, x3, y3 float32) segment {
		return segment{'C', [3]point{{x1, y1}, {x2, y2}, {x3, y3}}}
	}
	return outline{
		{'M', [3]point{{x + r, y}}},
		line(right-r, y), curve(right-k, y, right, y+k, right, y+r),
		line(right, bottom-r), curve(right, bottom-k, right-k, bottom, right-r, bottom),
		line(x+r, bottom), curve(x+k, bottom, x, bottom-k, x, bottom-r),
		line(x, y+r), curve(x, y+k, x+k, y, x+r, y),
	}
}

// textOutliner makes outlines of words.
type textOutliner struct {
	font   *sfnt.Font
	buffer sfnt.Buffer
}

func newTextOutliner() (*textOutliner, error) {
	f, err := sfnt.Parse(gobold.TTF)
	if err != nil {
		return nil, fmt.Errorf("reading the font: %w", err)
	}
	return &textOutliner{font: f}, nil
}

// line sets words at a place on a base line, in a size or, where there is less
// room, a smaller one.
func (l *textOutliner) line(words string, x, base, size, room float32) (outline, error) {
	set, width, err := l.set(words, x, base, size)
	if err != nil || width <= room {
		return set, err
	}
	set, _, err = l.set(words, x, base, size*room/width)
	return set, err
}

func (l *textOutliner) set(words string, x, base, size float32) (set outline, width float32, err error) {
	// Outlines are taken large and scaled down, since the font's own units are whole.
	const large = 1024
	scale := size / large / 64
	at := x
	for _, r := range words {
		glyph, err := l.font.GlyphIndex(&l.buffer, r)
		if err != nil {
			return nil, 0, fmt.Errorf("finding a letter: %w", err)
		}
		segments, err := l.font.LoadGlyph(&l.buffer, glyph, fixed.I(large), nil)
		if err != nil {
			return nil, 0, fmt.Errorf("drawing a letter: %w", err)
		}
		for _, s := range segments {
			part := segment{command: [...]byte{'M', 'L', 'Q', 'C'}[s.Op]}
			for i, p := range s.Args {
				part.points[i] = point{at + float32(p.X)*scale, base + float32(p.Y)*scale}
			}
			set = append(set, part)
		}
		advance, err := l.font.GlyphAdvance(&l.buffer, glyph, fixed.I(large), font.HintingNone)
		if err != nil {
			return nil, 0, fmt.Errorf("measuring a letter: %w", err)
		}
		at += float32(advance) * scale
	}
	return set, at - x, nil
}

// svg writes the drawing for browsers and those who cannot see it.
func (d *drawing) svg(b authority.Badge) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-labelledby="t d">`,
		d.size.Width, d.size.Height, d.size.Width, d.size.Height)
	fmt.Fprintf(&out, `<title id="t">VendWeave: %s</title><desc id="d">Certification badge %s, step %d of %d</desc>`,
		b.Name(), b, b.Rank(), len(authority.Badges()))
	for _, s := range d.shapes {
		fmt.Fprintf(&out, `<path fill="#%02x%02x%02x"`, s.fill.R, s.fill.G, s.fill.B)
		if s.fill.A != 0xff {
			fmt.Fprintf(&out, ` fill-opacity="%s"`, number(float32(s.fill.A)/0xff))
		}
		out.WriteString(` d="`)
		for i, part := range s.outline {
			if i > 0 && part.command == 'M' {
				out.WriteByte('Z')
			}
			out.WriteByte(part.command)
			for j, p := range part.used() {
				if j > 0 {
					out.WriteByte(' ')
				}
				out.WriteString(number(p.x) + " " + number(p.y))
			}
		}
		out.WriteString(`Z"/>`)
	}
	out.WriteString("</svg>\n")
	return []byte(out.String())
}

// number writes a coordinate to a hundredth.
func number(v float32) string {
	text := strconv.FormatFloat(float64(v), 'f', 2, 32)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// png fills the outlines into pixels.
func (d *drawing) png() ([]byte, error) {
	picture := image.NewNRGBA(image.Rect(0, 0, d.size.Width, d.size.Height))
	for _, s := range d.shapes {
		r := vector.NewRasterizer(d.size.Width, d.size.Height)
		for i, part := range s.outline {
			p := part.points
			switch part.command {
			case 'M':
				if i > 0 {
					r.ClosePath()
				}
				r.MoveTo(p[0].x, p[0].y)
			case 'L':
				r.LineTo(p[0].x, p[0].y)
			case 'Q':
				r.QuadTo(p[0].x, p[0].y, p[1].x, p[1].y)
			case 'C':
				r.CubeTo(p[0].x, p[0].y, p[1].x, p[1].y, p[2].x, p[2].y)
			}
		}
		r.ClosePath()
		r.DrawOp = draw.Over
		r.Draw(picture, picture.Bounds(), image.NewUniform(color.Color(s.fill)), image.Point{})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return nil, fmt.Errorf("encoding a picture: %w", err)
	}
	return out.Bytes(), nil
}
