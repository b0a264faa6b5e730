package diff

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxAppearance      = 256 << 10
	maxAppearanceDepth = 4
)

// lightest is how light a colour must be at least, so that black text below it can be read.
const lightest = 0.25

// isLight reports whether a colour of one, three or four components is light (ISO 32000-2,
// table 166). Where there is none, viewers differ in what they draw.
func isLight(components []xref.Value) bool {
	var n []float64
	for _, v := range components {
		x, ok := v.Real()
		if !ok {
			return false
		}
		n = append(n, x)
	}
	return isLightColor(n)
}

func isLightColor(n []float64) bool {
	switch len(n) {
	case 1:
		return n[0] >= lightest
	case 3:
		return 0.299*n[0]+0.587*n[1]+0.114*n[2] >= lightest
	case 4:
		rest := 1 - n[3]
		return rest*(0.299*(1-n[0])+0.587*(1-n[1])+0.114*(1-n[2])) >= lightest
	}
	return false
}

// paintState is what decides whether what is below a painted path stays to be read.
type paintState struct{ blends, lightFill, lightStroke bool }

// multiplies reports whether an appearance paints paths alone, and these so that what is
// below them stays to be read: in a light color with the blend mode Multiply.
func (c *comparer) multiplies(v xref.Value) bool { return c.multipliesFrom(v, paintState{}, 0) }

func (c *comparer) multipliesFrom(v xref.Value, state paintState, depth int) bool {
	if !v.IsStream() || depth > maxAppearanceDepth {
		return false
	}
	data, err := c.b.Inflate(v, maxAppearance)
	if err != nil {
		return false
	}
	p := appearancePainter{comparer: c, resources: c.b.Get(v, "Resources"), state: state, depth: depth}
	for i := 0; ; {
		s, e, err := object.Next(data, i)
		if s >= len(data) {
			return true
		}
		if err != nil || !c.step() {
			return false
		}
		o := object.Object(data[s:e])
		i = e
		if o.Kind() != object.Keyword {
			p.operands = append(p.operands, o)
			continue
		}
		if !p.operator(string(o)) {
			return false
		}
		p.operands = p.operands[:0]
	}
}

// appearancePainter goes through the operators of an appearance.
type appearancePainter struct {
	*comparer
	resources xref.Value
	operands  []object.Object
	state     paintState
	saved     []paintState
	depth     int
}

// operator reports whether what is below stays to be read after an operator.
func (p *appearancePainter) operator(name string) bool {
	switch name {
	case "gs":
		p.state.blends = p.resource("ExtGState", "BM").Is("Multiply")
		return p.state.blends
	case "Do":
		form := p.resource("XObject", "")
		return p.state.blends && form.Get("Subtype").Is("Form") && p.multipliesFrom(form, p.state, p.depth+1)
	case "q":
		p.saved = append(p.saved, p.state)
	case "Q":
		if len(p.saved) == 0 {
			return false
		}
		p.state, p.saved = p.saved[len(p.saved)-1], p.saved[:len(p.saved)-1]
	case "g", "rg", "k", "sc":
		p.state.lightFill = p.isLightOperand()
	case "G", "RG", "K", "SC":
		p.state.lightStroke = p.isLightOperand()
	case "cs":
		p.state.lightFill = false
	case "CS":
		p.state.lightStroke = false
	case "cm", "w", "J", "j", "M", "d", "ri", "i", "m", "l", "c", "v", "y", "h", "re", "W", "W*", "n":
	case "f", "F", "f*":
		return p.state.blends && p.state.lightFill
	case "S", "s":
		return p.state.blends && p.state.lightStroke
	case "B", "B*", "b", "b*":
		return p.state.blends && p.state.lightFill && p.state.lightStroke
	default:
		return false
	}
	return true
}

// resource returns a resource that the last operand names, or an entry of it.
func (p *appearancePainter) resource(category, key string) xref.Value {
	if len(p.operands) == 0 {
		return xref.Value{}
	}
	v := p.b.Get(p.b.Get(p.resources, category), p.operands[len(p.operands)-1].Text())
	if key == "" {
		return v
	}
	return p.b.Get(v, key)
}

func (p *appearancePainter) isLightOperand() bool {
	var n []float64
	for _, o := range p.operands {
		x, ok := o.Real()
		if !ok {
			return false
		}
		n = append(n, x)
	}
	return isLightColor(n)
}
