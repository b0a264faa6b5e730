package page

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

type spaceKind uint8

const (
	graySpace spaceKind = iota
	rgbSpace
	cmykSpace
	labSpace
	tintSpace // of one or several inks: 0 is none
	indexedSpace
	patternSpace
	noneSpace // paints nothing
)

// colourSpace is how numbers become a shade.
type colourSpace struct {
	kind  spaceKind
	n     int // of its numbers
	table []uint8
}

var grays = colourSpace{kind: graySpace, n: 1}

const maxTable = 4096 // bytes of an indexed space's colours

// readSpace reads a colour space (ISO 32000-1, 8.6).
func readSpace(f *xref.File, v, resources xref.Value, depth int) colourSpace {
	name := v
	if v.Kind() == object.Array {
		for e := range f.Elems(v) {
			name = e
			break
		}
	}
	item := func(i int) xref.Value {
		n := 0
		for e := range f.Elems(v) {
			if n == i {
				return e
			}
			n++
		}
		return xref.Value{}
	}
	switch text := name.Text(); text {
	case "DeviceGray", "G", "CalGray":
		return grays
	case "DeviceRGB", "RGB", "CalRGB":
		return colourSpace{kind: rgbSpace, n: 3}
	case "DeviceCMYK", "CMYK":
		return colourSpace{kind: cmykSpace, n: 4}
	case "Lab":
		return colourSpace{kind: labSpace, n: 3}
	case "ICCBased":
		n, _ := f.Get(item(1), "N").Int()
		return spaceOf(int(n))
	case "Pattern":
		return colourSpace{kind: patternSpace}
	case "Separation":
		if item(1).Is("None") {
			return colourSpace{kind: noneSpace, n: 1}
		}
		return colourSpace{kind: tintSpace, n: 1}
	case "DeviceN":
		n := 0
		for range f.Elems(item(1)) {
			n++
		}
		return colourSpace{kind: tintSpace, n: min(n, 32)}
	case "Indexed", "I":
		if depth == 0 {
			return readTable(f, readSpace(f, item(1), resources, 1), item(3))
		}
	default:
		if named := f.Get(f.Get(resources, "ColorSpace"), text); depth < 2 && v.Kind() == object.Name && !named.IsNull() {
			return readSpace(f, named, xref.Value{}, depth)
		}
	}
	return grays
}

func spaceOf(n int) colourSpace {
	switch n {
	case 3:
		return colourSpace{kind: rgbSpace, n: 3}
	case 4:
		return colourSpace{kind: cmykSpace, n: 4}
	}
	return grays
}

// readTable reads the colours of an indexed space.
func readTable(f *xref.File, base colourSpace, v xref.Value) colourSpace {
	var data []byte
	if v.IsStream() {
		data, _ = f.Inflate(v, maxTable) // of a damaged table, what can be read of it
	} else {
		data = f.String(v)
	}
	s := colourSpace{kind: indexedSpace, n: 1}
	parts := make([]float64, base.n)
	for ; base.n > 0 && len(data) >= base.n; data = data[base.n:] {
		for i := range parts {
			parts[i] = float64(data[i]) / 255
		}
		if base.kind == labSpace {
			parts[0] *= 100
		}
		s.table = append(s.table, base.shade(parts))
	}
	return s
}

// shade is how light a colour is.
func (s colourSpace) shade(c []float64) uint8 {
	if len(c) < s.n || s.n == 0 {
		return 0
	}
	unit := func(x float64) float64 { return min(max(x, 0), 1) }
	switch s.kind {
	case rgbSpace:
		return uint8(255 * (0.3*unit(c[0]) + 0.55*unit(c[1]) + 0.15*unit(c[2])))
	case cmykSpace:
		k := 1 - unit(c[3])
		return uint8(255 * k * (0.3*(1-unit(c[0])) + 0.55*(1-unit(c[1])) + 0.15*(1-unit(c[2]))))
	case labSpace:
		return uint8(255 * unit(c[0]/100))
	case tintSpace:
		light := 1.0
		for _, x := range c[:s.n] {
			light *= 1 - 0.8*unit(x)
		}
		return uint8(255 * light)
	case indexedSpace:
		if i := int(c[0]); i >= 0 && i < len(s.table) {
			return s.table[i]
		}
		return 0
	case graySpace, patternSpace, noneSpace:
	}
	return uint8(255 * unit(c[0]))
}

// first is the colour with which a space begins.
func (s colourSpace) first() dye {
	c := make([]float64, max(s.n, 1))
	switch s.kind {
	case cmykSpace:
		c[3] = 1
	case tintSpace:
		for i := range c {
			c[i] = 1
		}
	case noneSpace:
		return dye{none: true}
	case graySpace, rgbSpace, labSpace, indexedSpace, patternSpace:
	}
	return dye{shade: s.shade(c)}
}

// setColour carries out what sets colours.
func (b *brush) setColour(operator string) bool {
	device := func(to *ink, s colourSpace) { *to = ink{space: s, dye: dye{shade: s.shade(b.numbers(s.n))}} }
	switch operator {
	case "g":
		device(&b.fill, grays)
	case "G":
		device(&b.stroke, grays)
	case "rg":
		device(&b.fill, spaceOf(3))
	case "RG":
		device(&b.stroke, spaceOf(3))
	case "k":
		device(&b.fill, spaceOf(4))
	case "K":
		device(&b.stroke, spaceOf(4))
	case "cs":
		b.useSpace(&b.fill)
	case "CS":
		b.useSpace(&b.stroke)
	case "sc", "scn":
		b.useColour(&b.fill)
	case "SC", "SCN":
		b.useColour(&b.stroke)
	default:
		return false
	}
	return true
}

// numbers are the last n operands.
func (o operands) numbers(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = o.number(n - 1 - i)
	}
	return out
}

func (b *brush) useSpace(to *ink) {
	to.space = readSpace(b.f, b.resources.Part(b.last()), b.resources, 0)
	to.dye = to.space.first()
}

func (b *brush) useColour(to *ink) {
	if b.last().Kind() == object.Name {
		pattern := b.f.Get(b.f.Get(b.resources, "Pattern"), b.last().Text())
		if n, _ := b.f.Get(pattern, "PatternType").Int(); n == 2 {
			to.dye = dye{shade: smoothShade}
		} else {
			to.dye = dye{noise: true}
		}
		return
	}
	if to.space.kind == noneSpace {
		return
	}
	to.dye = dye{shade: to.space.shade(b.numbers(max(to.space.n, 1)))}
}
