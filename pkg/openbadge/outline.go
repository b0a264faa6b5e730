package openbadge

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

type point struct{ x, y float64 }

// segment is a part of an outline: the commands M, L, Q and C of SVG.
type segment struct {
	command byte
	points  []point
}

type outline []segment

// polygon is an outline of straight lines.
func polygon(corners ...point) outline {
	o := make(outline, len(corners))
	for i, p := range corners {
		o[i] = segment{'L', []point{p}}
	}
	o[0].command = 'M'
	return o
}

// circle is one around a middle.
func circle(middle point, r float64) outline {
	const bow = 0.5523 // of a quarter of a circle by a cubic curve
	k := r * bow
	at := func(x, y float64) point { return point{middle.x + x, middle.y + y} }
	return outline{
		{'M', []point{at(r, 0)}}, {'C', []point{at(r, k), at(k, r), at(0, r)}}, {'C', []point{at(-k, r), at(-r, k), at(-r, 0)}},
		{'C', []point{at(-r, -k), at(-k, -r), at(0, -r)}}, {'C', []point{at(k, -r), at(r, -k), at(r, 0)}},
	}
}

// hexagon stands on a corner, with round corners.
func hexagon(middle point, r float64) outline {
	var corners []point
	for i := range 6 {
		angle := math.Pi/6 + float64(i)*math.Pi/3
		corners = append(corners, point{middle.x + r*math.Cos(angle), middle.y + r*math.Sin(angle)})
	}
	return rounded(corners, r/6)
}

// rounded is a polygon whose corners are cut by curves of a size.
func rounded(corners []point, size float64) (o outline) {
	toward := func(from, to point) point {
		length := math.Hypot(to.x-from.x, to.y-from.y)
		return point{from.x + (to.x-from.x)*size/length, from.y + (to.y-from.y)*size/length}
	}
	for i, p := range corners {
		before, after := corners[(i+len(corners)-1)%len(corners)], corners[(i+1)%len(corners)]
		o = append(o, segment{'L', []point{toward(p, before)}}, segment{'Q', []point{p, toward(p, after)}})
	}
	o[0].command = 'M'
	return o
}

// shield is a heater shield.
func shield(middle point, r float64) outline {
	at := func(x, y float64) point { return point{middle.x + x*r, middle.y + y*r} }
	return outline{
		{'M', []point{at(-0.80, -0.95)}}, {'Q', []point{at(-0.4, -0.82), at(0, -1)}}, {'Q', []point{at(0.4, -0.82), at(0.80, -0.95)}},
		{'Q', []point{at(0.9, -0.9), at(0.9, -0.8)}}, {'C', []point{at(0.95, 0.2), at(0.7, 0.7), at(0, 1)}},
		{'C', []point{at(-0.7, 0.7), at(-0.95, 0.2), at(-0.9, -0.8)}}, {'Q', []point{at(-0.9, -0.9), at(-0.80, -0.95)}},
	}
}

// star has five points.
func star(middle point, r float64) outline {
	var corners []point
	for i := range 10 {
		length := r
		if i%2 == 1 {
			length = r * 0.42
		}
		angle := -math.Pi/2 + float64(i)*math.Pi/5
		corners = append(corners, point{middle.x + length*math.Cos(angle), middle.y + length*math.Sin(angle)})
	}
	return polygon(corners...)
}

// textOutliner makes outlines of words. It serves one goroutine.
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

// has reports whether the font holds all characters of a text.
func (l *textOutliner) has(text string) bool {
	for _, r := range text {
		if glyph, err := l.font.GlyphIndex(&l.buffer, r); r != ' ' && (err != nil || glyph == 0) {
			return false
		}
	}
	return true
}

// emSize is the size at which outlines are taken, since the font's own units are whole.
const emSize = 1024

// width returns how long words are in a size of 1.
func (l *textOutliner) width(words string) float64 {
	sum := fixed.Int26_6(0)
	for _, r := range words {
		if glyph, err := l.font.GlyphIndex(&l.buffer, r); err == nil {
			if advance, err := l.font.GlyphAdvance(&l.buffer, glyph, fixed.I(emSize), font.HintingNone); err == nil {
				sum += advance
			}
		}
	}
	return float64(sum) / 64 / emSize
}

// line sets words on a base line, around a middle.
func (l *textOutliner) line(words string, middle, base, size float64) (outline, error) {
	var set outline
	scale := size / emSize / 64
	at := middle - l.width(words)*size/2
	for _, r := range words {
		glyph, err := l.font.GlyphIndex(&l.buffer, r)
		if err != nil {
			return nil, fmt.Errorf("finding a letter: %w", err)
		}
		segments, err := l.font.LoadGlyph(&l.buffer, glyph, fixed.I(emSize), nil)
		if err != nil {
			return nil, fmt.Errorf("drawing a letter: %w", err)
		}
		for _, s := range segments {
			part := segment{command: [...]byte{'M', 'L', 'Q', 'C'}[s.Op]}
			for _, p := range s.Args[:[...]int{1, 1, 2, 3}[s.Op]] {
				part.points = append(part.points, point{at + float64(p.X)*scale, base + float64(p.Y)*scale})
			}
			set = append(set, part)
		}
		advance, err := l.font.GlyphAdvance(&l.buffer, glyph, fixed.I(emSize), font.HintingNone)
		if err != nil {
			return nil, fmt.Errorf("measuring a letter: %w", err)
		}
		at += float64(advance) * scale
	}
	return set, nil
}

// leading is the distance from line to line, in parts of the size.
const leading = 1.18

// wrap breaks a text into lines, in the largest size in which it fits an area. A word that is longer
// than a line is broken; what has no room in the least size is cut.
func (l *textOutliner) wrap(text string, at textArea) (all []string, size float64) {
	for size = at.most; ; size -= 2 {
		all = l.breakLines(text, at.width/size)
		if len(all) <= at.lines && l.longest(all)*size <= at.width && float64(len(all))*leading*size <= at.height {
			return all, size
		}
		if size <= at.least {
			break
		}
	}
	var broken []string
	for _, line := range all {
		broken = append(broken, l.split(line, at.width/size)...)
	}
	if len(broken) > at.lines {
		broken = broken[:at.lines]
		broken[at.lines-1] += "…"
	}
	return broken, size
}

func (l *textOutliner) longest(lines []string) (most float64) {
	for _, line := range lines {
		most = max(most, l.width(line))
	}
	return most
}

func (l *textOutliner) breakLines(text string, room float64) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && l.width(longer) > room {
			lines, longer = append(lines, line), word
		}
		line = longer
	}
	return append(lines, line)
}

// split breaks a line that is too long, between letters.
func (l *textOutliner) split(line string, room float64) (parts []string) {
	part := ""
	for _, r := range line {
		if part != "" && l.width(part+string(r)) > room {
			parts, part = append(parts, part), ""
		}
		part += string(r)
	}
	return append(parts, part)
}

// path writes an outline for SVG.
func (o outline) path() string {
	var out strings.Builder
	for i, part := range o {
		if i > 0 && part.command == 'M' {
			out.WriteByte('Z')
		}
		out.WriteByte(part.command)
		for j, p := range part.points {
			if j > 0 {
				out.WriteByte(' ')
			}
			out.WriteString(number(p.x) + " " + number(p.y))
		}
	}
	return out.String() + "Z"
}

// number writes a coordinate to a tenth.
func number(v float64) string {
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0")
}

// fill fills an outline into a picture, enlarged by a factor.
func (o outline) fill(picture *image.NRGBA, scale float64, c color.NRGBA) {
	bounds := picture.Bounds()
	r := vector.NewRasterizer(bounds.Dx(), bounds.Dy())
	at := func(p point) (x, y float32) { return float32(p.x * scale), float32(p.y * scale) }
	for i, part := range o {
		x, y := at(part.points[0])
		switch part.command {
		case 'M':
			if i > 0 {
				r.ClosePath()
			}
			r.MoveTo(x, y)
		case 'L':
			r.LineTo(x, y)
		case 'Q':
			x2, y2 := at(part.points[1])
			r.QuadTo(x, y, x2, y2)
		case 'C':
			x2, y2 := at(part.points[1])
			x3, y3 := at(part.points[2])
			r.CubeTo(x, y, x2, y2, x3, y3)
		}
	}
	r.ClosePath()
	r.Draw(picture, bounds, image.NewUniform(c), image.Point{})
}
