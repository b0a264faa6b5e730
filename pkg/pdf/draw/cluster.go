package draw

import (
	"encoding/binary"
	"iter"
	"math"
)

// part is a glyph of the font as a part of one that is shown. Its place is in units.
type part struct {
	glyph uint16
	x, y  int
}

// shape is a glyph of a subset: one of the font, or several of them together.
type shape struct {
	parts   []part // none: it shows nothing
	advance int    // units
	joined  bool   // it is no glyph of the font
}

// plainShape is a glyph as the font has it.
func (f *Font) plainShape(glyph uint16) shape {
	return shape{parts: []part{{glyph: glyph}}, advance: f.Advance(glyph)}
}

// usedFont numbers what is shown of a font. Glyphs that look the same and say something
// else have two numbers: what readers copy, find and read out is found by the number.
type usedFont struct {
	*Font
	shapes []shape // by their numbers
	text   []string
	number map[string]uint16 // by shape and text
	key    []byte
}

func newUsedFont(f *Font) *usedFont {
	return &usedFont{Font: f, shapes: []shape{f.plainShape(0)}, text: []string{""}, number: map[string]uint16{}}
}

// shown is a glyph of the subset with its place; lengths are parts of the font's size.
type shown struct {
	id              uint16
	dx, dy, advance float64
}

// clusters yields the glyphs that stand for something together: one that says it, and
// those behind it that say nothing of their own.
func clusters(glyphs []Glyph) iter.Seq[[]Glyph] {
	return func(yield func([]Glyph) bool) {
		for from := 0; from < len(glyphs); {
			to := from + 1
			for to < len(glyphs) && glyphs[to].Text == "" {
				to++
			}
			if !yield(glyphs[from:to]) {
				return
			}
			from = to
		}
	}
}

// maxMove is how far a glyph's advance may lie from what its font says, in parts of the
// size. Readers take a larger gap for a space.
const maxMove = 0.1

// use finds the number of a cluster.
func (f *usedFont) use(cluster []Glyph) shown {
	first := cluster[0]
	if first.Blank {
		return shown{id: f.add(shape{joined: true}, first.Text)}
	}
	if len(cluster) == 1 && f.isNear(first.Advance, f.Advance(first.ID)) {
		return shown{f.add(f.plainShape(first.ID), first.Text), first.DX, first.DY, first.Advance}
	}
	joined, pen := shape{joined: true}, 0.0
	for _, g := range cluster {
		if x := f.units(pen + g.DX); len(f.outline(g.ID)) > 0 {
			joined.parts = append(joined.parts, part{g.ID, x, f.units(g.DY)})
		}
		if pen += g.Advance; g.Advance != 0 {
			joined.advance += f.Advance(g.ID)
		}
	}
	if !f.isNear(pen, joined.advance) {
		joined.advance = max(0, f.units(pen))
	}
	return shown{id: f.add(joined, first.Text), advance: pen}
}

// isNear reports whether an advance is about the one that the font gives in units. What has
// no width, as a joiner that shows nothing, is near nothing else.
func (f *Font) isNear(advance float64, units int) bool {
	return (advance == 0) == (units == 0) && math.Abs(advance-float64(units)/float64(f.UnitsPerEm)) <= maxMove
}

func (f *Font) units(length float64) int { return int(math.Round(length * float64(f.UnitsPerEm))) }

func (f *usedFont) add(s shape, text string) uint16 {
	k := f.key[:0]
	k = binary.BigEndian.AppendUint32(k, uint32(s.advance))
	for _, p := range s.parts {
		k = binary.BigEndian.AppendUint16(k, p.glyph)
		k = binary.BigEndian.AppendUint32(k, uint32(p.x))
		k = binary.BigEndian.AppendUint32(k, uint32(p.y))
	}
	f.key = append(append(k, '/'), text...)
	n, ok := f.number[string(f.key)]
	if !ok {
		n = uint16(len(f.shapes))
		f.number[string(f.key)] = n
		f.shapes, f.text = append(f.shapes, s), append(f.text, text)
	}
	return n
}

// width is the advance of a glyph of the subset in thousandths, as the font's dictionary
// says it.
func (f *usedFont) width(id uint16) float64 {
	return math.Round(float64(f.shapes[id].advance) * 1000 / float64(f.UnitsPerEm))
}
