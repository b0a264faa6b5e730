package page

import (
	"math"

	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxAreas  = 20_000  // areas kept of one page
	maxForms  = 500     // forms gone into
	maxLevel  = 12      // of forms within forms
	maxTokens = 500_000 // operators and operands gone through
)

// Occupied is where a page shows something: rectangles in its user space.
type Occupied struct{ areas []Rect }

// Overlaps reports whether something is shown within r.
func (k Occupied) Overlaps(r Rect) bool {
	for _, m := range k.areas {
		if both := m.intersect(r); both.X1 > both.X0 && both.Y1 > both.Y0 {
			return true
		}
	}
	return false
}

// FindOccupied goes through a page's content and notes where it draws. It errs on the
// side of more: text is taken to be as wide as wide letters are, and a curve as
// large as its control points. White and nearly page-wide grounds show nothing. Where there is too
// much to go through, the page counts as full.
func FindOccupied(f *xref.File, p *Page) Occupied {
	content, err := ReadContent(f, p)
	if err != nil {
		return Occupied{[]Rect{p.Box}}
	}
	return FindOccupiedBy(f, p, content)
}

// FindOccupiedBy is FindOccupied for a page whose content has been listed.
func FindOccupiedBy(f *xref.File, p *Page, content Content) Occupied {
	w := occupancy{f: f, page: p.Box}
	state := graphicsState{ctm: identity, clip: p.Box, text: textState{scale: 1}}
	w.run(content.data(f, p), p.Resources, state, 0)
	if w.full {
		return Occupied{[]Rect{p.Box}}
	}
	return Occupied{w.areas}
}

// data is the streams' data as one.
func (c *Content) data(f *xref.File, p *Page) []byte {
	read := len(c.inflated) == len(c.Streams)
	if read && len(c.Streams) == 1 {
		return c.inflated[0]
	}
	var data []byte
	for i, o := range c.Streams {
		var part []byte
		if read {
			part = c.inflated[i]
		} else {
			part, _ = f.Inflate(f.Resolve(p.Part(o)), maxInflated-len(data)) // of a damaged stream, what viewers see of it
		}
		data = append(append(data, part...), '\n')
	}
	return data
}

// HasDrawnFont reports whether a page has fonts whose glyphs are drawings, in units of
// their own: FindOccupied does not know how large they are.
func HasDrawnFont(f *xref.File, p *Page) bool {
	fonts := f.Get(p.Resources, "Font")
	for name := range fonts.Object.Pairs() {
		if f.Get(f.Get(fonts, name.Text()), "Subtype").Is("Type3") {
			return true
		}
	}
	return false
}

type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// concat is the matrix that does m first and then n.
func (m matrix) concat(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// boundingBox is the rectangle around what r becomes.
func (m matrix) boundingBox(r Rect) Rect {
	out := Rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range [4][2]float64{{r.X0, r.Y0}, {r.X0, r.Y1}, {r.X1, r.Y0}, {r.X1, r.Y1}} {
		x, y := p[0]*m[0]+p[1]*m[2]+m[4], p[0]*m[1]+p[1]*m[3]+m[5]
		out = Rect{min(out.X0, x), min(out.Y0, y), max(out.X1, x), max(out.Y1, y)}
	}
	return out
}

// graphicsState is the part of the graphics state that matters here.
type graphicsState struct {
	ctm                    matrix
	clip                   Rect
	lineWidth              float64
	whiteFill, whiteStroke bool // whiteStroke: what is stroked is white
	text                   textState
}

type occupancy struct {
	f      *xref.File
	page   Rect
	areas  []Rect
	full   bool
	forms  int
	tokens int
}

func (w *occupancy) add(r Rect, clip Rect) {
	r = r.intersect(clip)
	if !(r.X1 >= r.X0 && r.Y1 >= r.Y0) {
		return
	}
	if len(w.areas) >= maxAreas {
		w.full = true
		return
	}
	const hair = 0.25 // what has no width is seen all the same
	w.areas = append(w.areas, Rect{r.X0 - hair, r.Y0 - hair, r.X1 + hair, r.Y1 + hair})
}

// run goes over the operators of content.
func (w *occupancy) run(data []byte, resources xref.Value, start graphicsState, level int) {
	pen := interpreter{occupancy: w, contentReader: newContentReader(data, &w.tokens), graphicsState: start, resources: resources, level: level,
		textPosition: textPosition{identity, identity}}
	for operator := pen.next(); operator != ""; operator = pen.next() {
		if operator == "ID" {
			pen.add(pen.ctm.boundingBox(Rect{0, 0, 1, 1}), pen.graphicsState.clip)
		} else {
			pen.execute(operator)
		}
	}
	w.full = w.full || w.tokens > maxTokens
}
