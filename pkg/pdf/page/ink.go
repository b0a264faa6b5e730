package page

import (
	"math"

	"github.com/vecctl/vecctl/pkg/pdf/syntax"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxInk   = 20_000  // marks kept of one page
	maxForms = 500     // forms gone into
	maxLevel = 12      // of forms within forms
	maxWords = 500_000 // operators and operands gone through
)

// Inked is where a page shows something: rectangles in its user space.
type Inked struct{ marks []Rect }

// Touches tells whether something is shown within r.
func (k Inked) Touches(r Rect) bool {
	for _, m := range k.marks {
		if both := m.within(r); both.X1 > both.X0 && both.Y1 > both.Y0 {
			return true
		}
	}
	return false
}

// Ink goes through a page's content and notes where it draws. It errs on the
// side of more: text is taken to be as wide as wide letters are, and a curve as
// large as its control points. White and nearly page-wide grounds show nothing. Where there is too
// much to go through, the page counts as full.
func Ink(f *xref.File, p *Page) Inked {
	w := inkWalk{f: f, page: p.Box}
	state := graphics{ctm: matrix{1, 0, 0, 1, 0, 0}, clip: p.Box}
	content, err := ReadContent(f, p)
	if err != nil {
		return Inked{[]Rect{p.Box}}
	}
	var data []byte
	for _, o := range content.Streams {
		part, _ := f.Inflate(f.Resolve(p.Part(o)), maxInflated-len(data)) // of a damaged stream, what viewers see of it
		data = append(append(data, part...), '\n')
	}
	w.run(data, p.Resources, state, 0)
	if w.full {
		return Inked{[]Rect{p.Box}}
	}
	return Inked{w.marks}
}

type matrix [6]float64

// after is the matrix that does m first and then n.
func (m matrix) after(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// around is the rectangle around what r becomes.
func (m matrix) around(r Rect) Rect {
	out := Rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range [4][2]float64{{r.X0, r.Y0}, {r.X0, r.Y1}, {r.X1, r.Y0}, {r.X1, r.Y1}} {
		x, y := p[0]*m[0]+p[1]*m[2]+m[4], p[0]*m[1]+p[1]*m[3]+m[5]
		out = Rect{min(out.X0, x), min(out.Y0, y), max(out.X1, x), max(out.Y1, y)}
	}
	return out
}

// graphics is the part of the graphics state that matters here.
type graphics struct {
	ctm               matrix
	clip              Rect
	line              float64
	whiteFill, stroke bool // stroke: what is stroked is white
	size, leading     float64
	spacing, wording  float64
	scale             float64
}

type inkWalk struct {
	f     *xref.File
	page  Rect
	marks []Rect
	full  bool
	forms int
	words int
}

func (w *inkWalk) mark(r Rect, clip Rect) {
	r = r.within(clip)
	if !(r.X1 >= r.X0 && r.Y1 >= r.Y0) {
		return
	}
	if len(w.marks) >= maxInk {
		w.full = true
		return
	}
	const hair = 0.25 // what has no width is seen all the same
	w.marks = append(w.marks, Rect{r.X0 - hair, r.Y0 - hair, r.X1 + hair, r.Y1 + hair})
}

// run goes over the operators of content.
func (w *inkWalk) run(data []byte, resources xref.Value, start graphics, level int) {
	pen := inkPen{inkWalk: w, graphics: start, resources: resources, level: level}
	if pen.scale == 0 {
		pen.scale = 1
	}
	for i := 0; ; {
		s, e, err := syntax.Next(data, i)
		if s >= len(data) {
			return
		}
		if w.words++; w.words > maxWords {
			w.full = true
			return
		}
		if err != nil {
			i = max(e, s+1)
			continue
		}
		o := syntax.Object(data[s:e])
		if i = e; o.Kind() != syntax.Keyword {
			if len(pen.operands) < 64 {
				pen.operands = append(pen.operands, o)
			}
			continue
		}
		if string(o) == "ID" {
			i = skipInlineImage(data, e)
			pen.mark(pen.ctm.around(Rect{0, 0, 1, 1}), pen.graphics.clip)
		} else {
			pen.do(string(o))
		}
		pen.operands = pen.operands[:0]
	}
}
