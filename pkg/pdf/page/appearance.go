package page

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Appearance is what an annotation shows: a form, and the matrix from it to the page.
type Appearance struct {
	Form   xref.Value // a reference to it
	Matrix [6]float64
}

// Appearances are those of the annotations that are seen.
func Appearances(f *xref.File, p *Page) (all []Appearance) {
	w := painter{f: f, hidden: ReadHiddenLayers(f)}
	n := 0
	for a := range f.Elems(f.Get(p.Value, "Annots")) {
		if n++; n > maxAnnots {
			break
		}
		if a.Kind() != object.Dict || !w.annotationShown(a) {
			continue
		}
		to, ok := rect(f, f.Get(a, "Rect"))
		form := f.Get(a, "AP").Key("N")
		if state := f.Get(a, "AS"); !f.Resolve(form).IsStream() && state.Kind() == object.Name {
			form = f.Resolve(form).Key(state.Text())
		}
		v := f.Resolve(form)
		box, boxed := rect(f, f.Get(v, "BBox"))
		if _, indirect := form.Ref(); !ok || !boxed || !indirect || !v.IsStream() {
			continue
		}
		m, ok := readMatrix(f, f.Get(v, "Matrix"))
		if !ok {
			m = matrix{1, 0, 0, 1, 0, 0}
		}
		from := m.boundingBox(box)
		if from.W() == 0 || from.H() == 0 {
			continue
		}
		x, y := to.W()/from.W(), to.H()/from.H()
		all = append(all, Appearance{form, [6]float64{x, 0, 0, y, to.X0 - from.X0*x, to.Y0 - from.Y0*y}})
	}
	return all
}
