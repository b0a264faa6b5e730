package field

import (
	"github.com/vecctl/vecctl/pkg/pdf/syntax"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Redrawn tells whether f's form asks viewers to draw its fields anew
// (NeedAppearances). Some then draw nothing for a signature.
func Redrawn(f *xref.File) bool {
	return string(f.Get(f.Get(f.Root, "AcroForm"), "NeedAppearances").Object) == "true"
}

// Drawn tells whether every field of f's form that can be seen brings its own
// appearance, so that none needs to be drawn anew.
func Drawn(f *xref.File) bool {
	left := maxFields
	return drawn(f, f.Get(f.Get(f.Root, "AcroForm"), "Fields"), &left, 0)
}

func drawn(f *xref.File, fields xref.Value, left *int, depth int) bool {
	for v := range f.Elems(fields) {
		if *left--; *left < 0 || depth > maxDepth {
			return false
		}
		if kids := f.Get(v, "Kids"); kids.Kind() == syntax.Array {
			if !drawn(f, kids, left, depth+1) {
				return false
			}
			continue
		}
		if v.Kind() == syntax.Dict && !f.Get(v, "FT").Is("Sig") && f.Get(f.Get(v, "AP"), "N").IsNull() {
			return false
		}
	}
	return true
}
