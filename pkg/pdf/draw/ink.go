package draw

// Ink is a rectangle around what is seen of a glyph, in points from the page's top left
// corner.
type Ink struct{ X0, Y0, X1, Y1 float64 }

// Meets reports whether two rectangles have a part in common.
func (a Ink) Meets(b Ink) bool { return a.X0 < b.X1 && b.X0 < a.X1 && a.Y0 < b.Y1 && b.Y0 < a.Y1 }

// AppendInk appends a rectangle for each glyph that shows something.
func (t Text) AppendInk(all []Ink) []Ink {
	x, k := t.X, t.Size/float64(t.Font.UnitsPerEm)
	for _, g := range t.Glyphs {
		if g.Blank {
			continue
		}
		if o := t.Font.outline(g.ID); len(o) > 0 {
			left, base := x+g.DX*t.Size, t.Y-g.DY*t.Size
			all = append(all, Ink{X0: left + k*float64(int16At(o[2:])), X1: left + k*float64(int16At(o[6:])),
				Y0: base - k*float64(int16At(o[8:])), Y1: base - k*float64(int16At(o[4:]))})
		}
		x += g.Advance * t.Size
	}
	return all
}
