package page

import (
	"math"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxWidths   = 70_000
	usualWidth  = 0.6   // of the letters' size, where a font does not say
	usualTop    = 0.8   // above the base line
	usualBottom = -0.25 // and below it
)

// glyphWidths is how much room the glyphs of a font take, of the letters' size.
type glyphWidths struct {
	wide        bool // codes of two bytes
	widths      map[uint32]float64
	standard    float64
	bottom, top float64
	space       int // the code that shows nothing; -1: none is known
}

// findFont finds the widths of a font; the reference may be none.
func (w *painter) findFont(v xref.Value, ref object.Ref) *glyphWidths {
	if known := w.fonts[ref]; known != nil && ref.Num != 0 {
		return known
	}
	if v.Kind() != object.Dict {
		return nil
	}
	g := readGlyphWidths(w.f, v)
	if w.fonts == nil {
		w.fonts = map[object.Ref]*glyphWidths{}
	}
	if ref.Num != 0 {
		w.fonts[ref] = g
	}
	return g
}

// readGlyphWidths reads the widths of a font.
func readGlyphWidths(f *xref.File, v xref.Value) *glyphWidths {
	g := &glyphWidths{standard: usualWidth, bottom: usualBottom, top: usualTop, space: ' ', widths: map[uint32]float64{}}
	switch {
	case f.Get(v, "Subtype").Is("Type0"):
		g.readComposite(f, v)
	case f.Get(v, "Subtype").Is("Type3"):
		g.readType3(f, v)
	default:
		g.readSimple(f, v, 0.001)
	}
	return g
}

func (g *glyphWidths) readSimple(f *xref.File, v xref.Value, scale float64) {
	code, _ := f.Get(v, "FirstChar").Int()
	for e := range f.Elems(f.Get(v, "Widths")) {
		if n, ok := e.Real(); ok && code >= 0 && code < 256 {
			g.widths[uint32(code)] = n * scale
		}
		code++
	}
}

// readType3 reads a font whose glyphs are drawings, in units of its own.
func (g *glyphWidths) readType3(f *xref.File, v xref.Value) {
	m, ok := readMatrix(f, f.Get(v, "FontMatrix"))
	if !ok {
		m = matrix{0.001, 0, 0, 0.001}
	}
	g.readSimple(f, v, m[0])
	g.space = -1
	if box, ok := rect(f, f.Get(v, "FontBBox")); ok {
		r := m.boundingBox(box)
		g.bottom, g.top = r.Y0, r.Y1
	}
}

func (g *glyphWidths) readComposite(f *xref.File, v xref.Value) {
	g.wide, g.standard, g.space = true, 1, -1
	for d := range f.Elems(f.Get(v, "DescendantFonts")) {
		if w, ok := f.Get(d, "DW").Real(); ok {
			g.standard = w / 1000
		}
		g.readRuns(f, f.Get(d, "W"))
		break
	}
}

// readRuns reads an array of widths (ISO 32000-1, 9.7.4.3): a first code and its
// widths, or two codes and the width of all between.
func (g *glyphWidths) readRuns(f *xref.File, all xref.Value) {
	var pending []int64
	for e := range f.Elems(all) {
		switch {
		case len(g.widths) > maxWidths:
			return
		case e.Kind() == object.Array && len(pending) == 1:
			code := pending[0]
			for w := range f.Elems(e) {
				if n, ok := w.Real(); ok && code >= 0 && code < 1<<16 {
					g.widths[uint32(code)] = n / 1000
				}
				code++
			}
			pending = pending[:0]
		case len(pending) == 2:
			w, _ := e.Real()
			for code := max(0, pending[0]); code <= min(pending[1], 1<<16); code++ {
				g.widths[uint32(code)] = w / 1000
			}
			pending = pending[:0]
		default:
			n, _ := e.Int()
			pending = append(pending, n)
		}
	}
}

func (g *glyphWidths) width(code uint32) float64 {
	if w, ok := g.widths[code]; ok {
		return w
	}
	return g.standard
}

// writeText carries out what sets and shows text.
func (b *brush) writeText(operator string) {
	b.set(&b.text, operator, b.operands)
	switch operator {
	case "Tf":
		b.font = nil
		if n := len(b.operands); n > 1 {
			fonts := b.f.Get(b.resources, "Font")
			ref, _ := fonts.Key(b.operands[n-2].Text()).Ref()
			b.font = b.findFont(b.f.Get(fonts, b.operands[n-2].Text()), ref)
		}
	case "'", "\"", "Tj", "TJ":
		b.showAll()
	}
}

// showAll shows a string, or the strings of an array with moves between them.
func (b *brush) showAll() {
	all := b.last()
	if all.Kind() != object.Array {
		b.show(all)
		return
	}
	for e := range all.Elems() {
		if e.Kind() == object.String {
			b.show(e)
		} else if n, ok := e.Real(); ok {
			b.advance(-n / 1000 * b.text.size * b.text.scale)
		}
	}
}

var unknownFont = &glyphWidths{standard: usualWidth, bottom: usualBottom, top: usualTop, space: ' '}

// show marks the boxes of a string's words.
func (b *brush) show(o object.Object) {
	if o.Kind() != object.String {
		return
	}
	t := b.text
	font := b.font
	if font == nil {
		font = unknownFont
	}
	codes := o.Bytes()
	from, x := 0.0, 0.0
	for len(codes) > 0 {
		code, n := uint32(codes[0]), 1
		if font.wide && len(codes) > 1 {
			code, n = code<<8|uint32(codes[1]), 2
		}
		codes = codes[n:]
		by := font.width(code)*t.size + t.charSpacing
		if n == 1 && code == ' ' {
			by += t.wordSpacing
		}
		if int(code) == font.space {
			b.word(font, from, x)
			from = x + by*t.scale
		}
		x += by * t.scale
	}
	b.word(font, from, x)
	b.advance(x)
}

// word marks the box of some glyphs, between two places on the line.
func (b *brush) word(font *glyphWidths, from, to float64) {
	const invisible, clips = 3, 7
	t := b.text
	if from == to || t.mode == invisible || t.mode == clips {
		return
	}
	d := b.filling(showsText)
	if t.mode%4 == 1 {
		d = b.stroking(showsText)
	}
	if d.part = true; d.noise {
		d.noise, d.shade = false, 0
	}
	m := b.textMatrix.concat(b.ctm)
	low, high := font.bottom*t.size+t.rise, font.top*t.size+t.rise
	b.quad([4]point{m.apply(from, low), m.apply(to, low), m.apply(to, high), m.apply(from, high)}, b.clip, d)
	if math.Abs(high-low)*m.scale() < 1 {
		b.trace([][2]point{{m.apply(from, 0), m.apply(to, 0)}}, b.clip, d)
	}
}
