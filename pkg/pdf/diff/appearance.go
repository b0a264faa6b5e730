package diff

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxAppearance      = 256 << 10
	maxAppearanceDepth = 4
)

// multiplies reports whether an appearance paints paths alone, and these so that what is
// below them stays to be read: with the blend mode Multiply.
func (c *comparer) multiplies(v xref.Value, depth int) bool {
	if !v.IsStream() || depth > maxAppearanceDepth {
		return false
	}
	data, err := c.b.Inflate(v, maxAppearance)
	if err != nil {
		return false
	}
	resources := c.b.Get(v, "Resources")
	blends := depth > 0
	var saved []bool
	var last object.Object
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
			last = o
			continue
		}
		switch string(o) {
		case "gs":
			if !c.b.Get(c.b.Get(c.b.Get(resources, "ExtGState"), last.Text()), "BM").Is("Multiply") {
				return false
			}
			blends = true
		case "Do":
			form := c.b.Get(c.b.Get(resources, "XObject"), last.Text())
			if !blends || !form.Get("Subtype").Is("Form") || !c.multiplies(form, depth+1) {
				return false
			}
		case "q":
			saved = append(saved, blends)
		case "Q":
			if len(saved) == 0 {
				return false
			}
			blends, saved = saved[len(saved)-1], saved[:len(saved)-1]
		case "cm", "w", "J", "j", "M", "d", "ri", "i", "m", "l", "c", "v", "y", "h", "re", "W", "W*", "n",
			"g", "G", "rg", "RG", "k", "K", "cs", "CS", "sc", "SC":
		case "f", "F", "f*", "S", "s", "B", "B*", "b", "b*":
			if !blends {
				return false
			}
		default:
			return false
		}
	}
}
