package page

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxAnnots  = 500 // looked at on one page
	flagHidden = 2   // ISO 32000-1, table 165
)

// CoveredByAnnotation reports whether an annotation of the page, such as a form field, is
// drawn over the rectangle r: annotations lie above the page's content.
func CoveredByAnnotation(f *xref.File, p *Page, r Rect) bool {
	covered, _ := AnnotationsOver(f, p, r)
	return covered
}

// AnnotationsOver is CoveredByAnnotation, and also reports whether one of the annotations is no
// form field: viewers that draw no fields draw it.
func AnnotationsOver(f *xref.File, p *Page, r Rect) (covered, beyondFields bool) {
	n := 0
	for a := range f.Elems(f.Get(p.Value, "Annots")) {
		if n++; n > maxAnnots {
			return covered, beyondFields
		}
		if a.Kind() != object.Dict || f.Get(a, "Subtype").Is("Link") || f.Get(a, "Subtype").Is("Popup") {
			continue
		}
		if flags, _ := f.Get(a, "F").Int(); flags&flagHidden != 0 {
			continue
		}
		box, ok := rect(f, f.Get(a, "Rect"))
		if both := box.intersect(r); ok && both.W() > 0 && both.H() > 0 {
			covered, beyondFields = true, beyondFields || !f.Get(a, "Subtype").Is("Widget")
		}
	}
	return covered, beyondFields
}
