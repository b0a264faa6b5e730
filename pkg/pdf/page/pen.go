package page

import (
	"math"

	"github.com/vecctl/vecctl/pkg/pdf/syntax"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// inkPen carries out the operators of one content stream.
type inkPen struct {
	*inkWalk
	graphics
	resources   xref.Value
	level       int
	operands    []syntax.Object
	stack       []graphics
	path        []Rect // around each segment, in the page's user space
	at          [2]float64
	clipNext    bool
	text, lines matrix
}

// number is the operand i places from the last one; the last is 0.
func (p *inkPen) number(i int) float64 {
	if i >= len(p.operands) {
		return 0
	}
	n, _ := p.operands[len(p.operands)-1-i].Real()
	return n
}

func (p *inkPen) six() matrix {
	return matrix{p.number(5), p.number(4), p.number(3), p.number(2), p.number(1), p.number(0)}
}

// do carries out one operator (ISO 32000-1, annex A).
func (p *inkPen) do(operator string) {
	switch operator {
	case "q":
		if len(p.stack) < 512 {
			p.stack = append(p.stack, p.graphics)
		}
	case "Q":
		if n := len(p.stack); n > 0 {
			p.graphics, p.stack = p.stack[n-1], p.stack[:n-1]
		}
	case "cm":
		p.ctm = p.six().after(p.ctm)
	case "w":
		p.line = p.number(0)
	case "Do":
		p.object()
	case "sh":
		p.mark(p.graphics.clip, p.graphics.clip)
	default:
		if !p.colour(operator) && !p.draw(operator) {
			p.write(operator)
		}
	}
}

// colour follows which colours are white.
func (p *inkPen) colour(operator string) bool {
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
		p.stroke = all(1, 1)
	case "RG":
		p.stroke = all(3, 1)
	case "K":
		p.stroke = all(4, 0)
	case "cs", "sc", "scn":
		// In the spaces of gray and of red, green and blue, ones are white.
		p.whiteFill = operator != "cs" && (len(p.operands) == 1 && all(1, 1) || len(p.operands) == 3 && all(3, 1))
	case "CS", "SC", "SCN":
		p.stroke = false
	default:
		return false
	}
	return true
}

// draw carries out what makes and paints paths.
func (p *inkPen) draw(operator string) bool {
	switch operator {
	case "m":
		p.at = [2]float64{p.number(1), p.number(0)}
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
func (p *inkPen) segment(n int) {
	r := Rect{p.at[0], p.at[1], p.at[0], p.at[1]}
	for i := range n {
		x, y := p.number(2*i+1), p.number(2*i)
		r = Rect{min(r.X0, x), min(r.Y0, y), max(r.X1, x), max(r.Y1, y)}
	}
	p.at = [2]float64{p.number(1), p.number(0)}
	p.extend(r)
}

func (p *inkPen) extend(r Rect) {
	if len(p.path) < maxInk {
		p.path = append(p.path, p.ctm.around(r))
	}
}

func (p *inkPen) paint(fill, stroke bool) {
	whole := around(p.path)
	// What goes around nearly all of the page is a ground, or a frame: its edges
	// count, and not what lies within them.
	frame := whole.W() > groundShare*p.page.W() && whole.H() > groundShare*p.page.H()
	if fill && !p.whiteFill && !frame {
		p.mark(whole, p.graphics.clip)
	}
	if stroke && !p.stroke || fill && !p.whiteFill && frame {
		half := math.Abs(p.line) / 2 * math.Sqrt(math.Abs(p.ctm[0]*p.ctm[3]-p.ctm[1]*p.ctm[2]))
		for _, r := range p.path {
			p.mark(Rect{r.X0 - half, r.Y0 - half, r.X1 + half, r.Y1 + half}, p.graphics.clip)
		}
	}
	if len(p.path) > 0 && p.clipNext {
		p.graphics.clip = p.graphics.clip.within(whole)
	}
	p.path, p.clipNext = p.path[:0], false
}

const groundShare = 0.8

func around(path []Rect) Rect {
	out := Rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, r := range path {
		out = Rect{min(out.X0, r.X0), min(out.Y0, r.Y0), max(out.X1, r.X1), max(out.Y1, r.Y1)}
	}
	return out
}

// object draws an image or a form.
func (p *inkPen) object() {
	if len(p.operands) == 0 {
		return
	}
	v := p.f.Get(p.f.Get(p.resources, "XObject"), p.operands[len(p.operands)-1].Text())
	if !p.f.Get(v, "Subtype").Is("Form") {
		p.mark(p.ctm.around(Rect{0, 0, 1, 1}), p.graphics.clip)
		return
	}
	inner := p.graphics
	var m matrix
	i := 0
	for e := range p.f.Elems(p.f.Get(v, "Matrix")) {
		if x, ok := e.Real(); ok && i < 6 {
			m[i] = x
			i++
		}
	}
	if i == 6 {
		inner.ctm = m.after(inner.ctm)
	}
	box, ok := rect(p.f, p.f.Get(v, "BBox"))
	if !ok {
		return
	}
	inner.clip = inner.clip.within(inner.ctm.around(box))
	if p.forms++; p.forms > maxForms || p.level >= maxLevel {
		p.mark(inner.clip, inner.clip)
		return
	}
	data, _ := p.f.Inflate(v, maxInflated) // of a damaged stream, what viewers see of it
	resources := p.f.Get(v, "Resources")
	if resources.IsNull() {
		resources = p.resources
	}
	p.run(data, resources, inner, p.level+1)
}

// write carries out what shows text.
func (p *inkPen) write(operator string) {
	switch operator {
	case "BT":
		p.text = matrix{1, 0, 0, 1, 0, 0}
		p.lines = p.text
	case "Tf":
		p.size = p.number(0)
	case "TL":
		p.leading = p.number(0)
	case "Tc":
		p.spacing = p.number(0)
	case "Tw":
		p.wording = p.number(0)
	case "Tz":
		p.scale = p.number(0) / 100
	case "Td", "TD":
		if operator == "TD" {
			p.leading = -p.number(0)
		}
		p.move(p.number(1), p.number(0))
	case "Tm":
		p.text = p.six()
		p.lines = p.text
	case "T*":
		p.move(0, -p.leading)
	case "'", "\"":
		p.move(0, -p.leading)
		p.show()
	case "Tj", "TJ":
		p.show()
	}
}

func (p *inkPen) move(x, y float64) {
	p.lines = matrix{1, 0, 0, 1, x, y}.after(p.lines)
	p.text = p.lines
}

// show marks a string, whose glyphs' widths are guessed: as 0.7 of the size, a
// little more than those of wide letters.
func (p *inkPen) show() {
	if len(p.operands) == 0 {
		return
	}
	const wide = 0.7
	length := 0.0
	one := func(o syntax.Object) {
		if n := len(o.Bytes()); o.Kind() == syntax.String {
			length += float64(n) * (wide*math.Abs(p.size) + p.spacing)
		} else if x, ok := o.Real(); ok {
			length -= x / 1000 * p.size
		}
	}
	if o := p.operands[len(p.operands)-1]; o.Kind() == syntax.Array {
		for e := range o.Elems() {
			one(e)
		}
	} else {
		one(o)
	}
	length *= p.scale
	m := p.text.after(p.ctm)
	p.mark(m.around(Rect{min(0, length), -0.3 * math.Abs(p.size), max(0, length), math.Abs(p.size)}), p.graphics.clip)
	p.text = matrix{1, 0, 0, 1, length, 0}.after(p.text)
}
