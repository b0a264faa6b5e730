package stamp

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"

	"github.com/vecctl/vecctl/pkg/pdf/object"
)

// perEm is the resolution of outlines.
const perEm = 1000

// appendOutlines appends the caption as filled outlines, for documents in which every
// font must be embedded: that would take ten times the room. The text itself
// goes along, for search and for screen readers.
func appendOutlines(b []byte, l Layout, caption string) ([]byte, error) {
	f, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("the caption's outlines: %w", err)
	}
	var paths []byte
	var buf sfnt.Buffer
	x := 0
	for _, c := range caption {
		glyph, err := f.GlyphIndex(&buf, c)
		if err != nil {
			return nil, fmt.Errorf("the caption's outlines: %w", err)
		}
		segments, err := f.LoadGlyph(&buf, glyph, fixed.I(perEm), nil)
		if err != nil && !errors.Is(err, sfnt.ErrNotFound) {
			return nil, fmt.Errorf("the caption's outlines: %w", err)
		}
		paths = appendGlyph(paths, segments, x)
		width, err := f.GlyphAdvance(&buf, glyph, fixed.I(perEm), font.HintingNone)
		if err != nil {
			return nil, fmt.Errorf("the caption's outlines: %w", err)
		}
		x += width.Round()
	}
	b = append(b, "/Span<</ActualText"...)
	b = object.AppendString(b, []byte(caption))
	b = append(b, ">>BDC q"...)
	b = appendScale(b, l.Font*Width(caption)/float64(x), l.TextX, l.TextY)
	b = append(b, " cm\n"...)
	b = append(b, paths...)
	return append(b, "f Q EMC\n"...), nil
}

// appendGlyph appends a glyph that stands x units to the right.
func appendGlyph(b []byte, segments sfnt.Segments, x int) []byte {
	var at [2]int
	point := func(p fixed.Point26_6) [2]int { return [2]int{x + p.X.Round(), -p.Y.Round()} }
	write := func(op string, points ...[2]int) {
		for _, p := range points {
			b = strconv.AppendInt(b, int64(p[0]), 10)
			b = append(b, ' ')
			b = strconv.AppendInt(b, int64(p[1]), 10)
			b = append(b, ' ')
		}
		b = append(b, op...)
		b = append(b, '\n')
		at = points[len(points)-1]
	}
	for _, s := range segments {
		switch p := point(s.Args[0]); s.Op {
		case sfnt.SegmentOpMoveTo:
			write("m", p)
		case sfnt.SegmentOpLineTo:
			write("l", p)
		case sfnt.SegmentOpQuadTo:
			end := point(s.Args[1])
			write("c", cubicControl(at, p), cubicControl(end, p), end)
		case sfnt.SegmentOpCubeTo:
			write("c", p, point(s.Args[1]), point(s.Args[2]))
		}
	}
	return b
}

// cubicControl is the point two thirds of the way from p to the control point of a
// quadratic curve: a control point of the same curve as a cubic one.
func cubicControl(p, control [2]int) [2]int {
	return [2]int{(p[0] + 2*control[0]) / 3, (p[1] + 2*control[1]) / 3}
}
