package acroform

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// NeedAppearances reports whether f's form asks viewers to draw its fields anew
// (NeedAppearances). Some then draw nothing for a signature.
func NeedAppearances(f *xref.File) bool {
	return string(f.Get(f.Get(f.Root, "AcroForm"), "NeedAppearances").Object) == "true"
}

// HasAppearances reports whether every field of f's form that can be seen brings its own
// appearance, so that none needs to be drawn anew.
func HasAppearances(f *xref.File) bool {
	left := maxFields
	return hasAppearances(f, f.Get(f.Get(f.Root, "AcroForm"), "Fields"), &left, 0)
}

func hasAppearances(f *xref.File, fields xref.Value, left *int, depth int) bool {
	for v := range f.Elems(fields) {
		if *left--; *left < 0 || depth > maxDepth {
			return false
		}
		if kids := f.Get(v, "Kids"); kids.Kind() == object.Array {
			if !hasAppearances(f, kids, left, depth+1) {
				return false
			}
			continue
		}
		if v.Kind() == object.Dict && !f.Get(v, "FT").Is("Sig") && f.Get(f.Get(v, "AP"), "N").IsNull() {
			return false
		}
	}
	return true
}
