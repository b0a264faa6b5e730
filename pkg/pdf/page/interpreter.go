package page

import (
	"math"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// interpreter carries out the operators of one content stream.
type interpreter struct {
	*occupancy
	graphicsState
	contentReader
	textPosition
	resources xref.Value
	level     int
	stack     []graphicsState
	path      []Rect // around each segment, in the page's user space
	point     [2]float64
	clipNext  bool
}

// execute carries out one operator (ISO 32000-1, annex A).
func (p *interpreter) execute(operator string) {
	switch operator {
	case "q":
		if len(p.stack) < maxStack {
			p.stack = append(p.stack, p.graphicsState)
		}
	case "Q":
		if n := len(p.stack); n > 0 {
			p.graphicsState, p.stack = p.stack[n-1], p.stack[:n-1]
		}
	case "cm":
		p.ctm = p.operands.matrix().concat(p.ctm)
	case "w":
		p.lineWidth = p.number(0)
	case "Do":
		p.paintXObject()
	case "sh":
		p.add(p.graphicsState.clip, p.graphicsState.clip)
	default:
		if !p.setColour(operator) && !p.drawPath(operator) {
			p.writeText(operator)
		}
	}
}

// setColour follows which colours are white.
func (p *interpreter) setColour(operator string) bool {
	all := func(n int, want float64) bool {
		for i := range n {
			if p.number(i) != want {
				return false
			}
		}
		return len(p.operands) >= n
	}
	switch operator {
	case "g":
		p.whiteFill = all(1, 1)
	case "rg":
		p.whiteFill = all(3, 1)
	case "k":
		p.whiteFill = all(4, 0)
	case "G":
		p.whiteStroke = all(1, 1)
	case "RG":
		p.whiteStroke = all(3, 1)
	case "K":
		p.whiteStroke = all(4, 0)
	case "cs", "sc", "scn":
		// In the spaces of gray and of red, green and blue, ones are white.
		p.whiteFill = operator != "cs" && (len(p.operands) == 1 && all(1, 1) || len(p.operands) == 3 && all(3, 1))
	case "CS", "SC", "SCN":
		p.whiteStroke = false
	default:
		return false
	}
	return true
}

// drawPath carries out what makes and paints paths.
func (p *interpreter) drawPath(operator string) bool {
	switch operator {
	case "m":
		p.point = [2]float64{p.number(1), p.number(0)}
	case "l":
		p.segment(1)
	case "c":
		p.segment(3)
	case "v", "y":
		p.segment(2)
	case "re":
		x0, y0 := p.number(3), p.number(2)
		x1, y1 := x0+p.number(1), y0+p.number(0)
		for _, side := range [4]Rect{{x0, y0, x0, y1}, {x1, y0, x1, y1}, {x0, y0, x1, y0}, {x0, y1, x1, y1}} {
			p.extend(side)
		}
	case "W", "W*":
		p.clipNext = true
	case "h":
	case "f", "F", "f*":
		p.paint(true, false)
	case "S", "s":
		p.paint(false, true)
	case "B", "B*", "b", "b*":
		p.paint(true, true)
	case "n":
		p.paint(false, false)
	default:
		return false
	}
	return true
}

// segment notes a line or curve of n points from where the pen is.
func (p *interpreter) segment(n int) {
	r := Rect{p.point[0], p.point[1], p.point[0], p.point[1]}
	for i := range n {
		x, y := p.number(2*i+1), p.number(2*i)
		r = Rect{min(r.X0, x), min(r.Y0, y), max(r.X1, x), max(r.Y1, y)}
	}
	p.point = [2]float64{p.number(1), p.number(0)}
	p.extend(r)
}

func (p *interpreter) extend(r Rect) {
	if len(p.path) < maxAreas {
		p.path = append(p.path, p.ctm.boundingBox(r))
	}
}

func (p *interpreter) paint(fill, stroke bool) {
	whole := boundingBox(p.path)
	// What goes around nearly all of the page is a ground, or a frame: its edges
	// count, and not what lies within them.
	frame := whole.W() > backgroundShare*p.page.W() && whole.H() > backgroundShare*p.page.H()
	if fill && !p.whiteFill && !frame {
		p.add(whole, p.graphicsState.clip)
	}
	if stroke && !p.whiteStroke || fill && !p.whiteFill && frame {
		half := math.Abs(p.lineWidth) / 2 * math.Sqrt(math.Abs(p.ctm[0]*p.ctm[3]-p.ctm[1]*p.ctm[2]))
		for _, r := range p.path {
			p.add(Rect{r.X0 - half, r.Y0 - half, r.X1 + half, r.Y1 + half}, p.graphicsState.clip)
		}
	}
	if len(p.path) > 0 && p.clipNext {
		p.graphicsState.clip = p.graphicsState.clip.intersect(whole)
	}
	p.path, p.clipNext = p.path[:0], false
}

const backgroundShare = 0.8

func boundingBox(path []Rect) Rect {
	out := Rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, r := range path {
		out = Rect{min(out.X0, r.X0), min(out.Y0, r.Y0), max(out.X1, r.X1), max(out.Y1, r.Y1)}
	}
	return out
}

// paintXObject draws an image or a form.
func (p *interpreter) paintXObject() {
	if len(p.operands) == 0 {
		return
	}
	v := p.f.Get(p.f.Get(p.resources, "XObject"), p.operands[len(p.operands)-1].Text())
	if !p.f.Get(v, "Subtype").Is("Form") {
		p.add(p.ctm.boundingBox(Rect{0, 0, 1, 1}), p.graphicsState.clip)
		return
	}
	inner := p.graphicsState
	var m matrix
	i := 0
	for e := range p.f.Elems(p.f.Get(v, "Matrix")) {
		if x, ok := e.Real(); ok && i < 6 {
			m[i] = x
			i++
		}
	}
	if i == 6 {
		inner.ctm = m.concat(inner.ctm)
	}
	box, ok := rect(p.f, p.f.Get(v, "BBox"))
	if !ok {
		return
	}
	inner.clip = inner.clip.intersect(inner.ctm.boundingBox(box))
	if p.forms++; p.forms > maxForms || p.level >= maxLevel {
		p.add(inner.clip, inner.clip)
		return
	}
	data, _ := p.f.Inflate(v, maxInflated) // of a damaged stream, what viewers see of it
	resources := p.f.Get(v, "Resources")
	if resources.IsNull() {
		resources = p.resources
	}
	p.run(data, resources, inner, p.level+1)
}

// writeText carries out what sets and shows text.
func (p *interpreter) writeText(operator string) {
	p.set(&p.text, operator, p.operands)
	switch operator {
	case "'", "\"", "Tj", "TJ":
		p.showText()
	}
}

// showText marks a string, whose glyphs' widths are guessed: as 0.7 of the size, a
// little more than those of wide letters.
func (p *interpreter) showText() {
	if len(p.operands) == 0 {
		return
	}
	const wide = 0.7
	length := 0.0
	one := func(o object.Object) {
		if n := len(o.Bytes()); o.Kind() == object.String {
			length += float64(n) * (wide*math.Abs(p.text.size) + p.text.charSpacing)
		} else if x, ok := o.Real(); ok {
			length -= x / 1000 * p.text.size
		}
	}
	if o := p.operands[len(p.operands)-1]; o.Kind() == object.Array {
		for e := range o.Elems() {
			one(e)
		}
	} else {
		one(o)
	}
	length *= p.text.scale
	m := p.textMatrix.concat(p.ctm)
	p.add(m.boundingBox(Rect{min(0, length), -0.3 * math.Abs(p.text.size), max(0, length), math.Abs(p.text.size)}), p.graphicsState.clip)
	p.advance(length)
}
