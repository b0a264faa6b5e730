// Package acroform goes through the signature fields of a document's form
// (ISO 32000-1, 12.7).
package acroform

import (
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxFields = 20_000 // looked at in search of signatures
	maxDepth  = 32
)

// SignedField is a field that carries a signature.
type SignedField struct {
	Name      string // fully qualified
	Field     xref.Value
	Signature xref.Value // the signature dictionary
	Ref       object.Ref // of the signature dictionary; Num 0: it stands in the field
}

// Signatures goes through the signed fields of f's form.
func Signatures(f *xref.File) func(yield func(SignedField) bool) {
	return func(yield func(SignedField) bool) {
		w := walk{f: f, left: maxFields, yield: yield, seen: map[uint32]bool{}}
		w.list(f.Get(f.Get(f.Root, "AcroForm"), "Fields"), nil, false, 0)
	}
}

type walk struct {
	f     *xref.File
	left  int
	yield func(SignedField) bool
	seen  map[uint32]bool // fields that have kids
}

// list goes through fields; it is false when the search is over.
func (w *walk) list(fields xref.Value, names []string, sig bool, depth int) bool {
	if depth > maxDepth {
		return true
	}
	for entry := range fields.Parts() {
		if w.left--; w.left < 0 {
			return false
		}
		ref, _ := entry.Ref()
		v := w.f.Resolve(entry)
		if v.Kind() != object.Dict || w.seen[ref.Num] {
			continue
		}
		isSig := sig
		if ft := w.f.Get(v, "FT"); !ft.IsNull() {
			isSig = ft.Is("Sig")
		}
		path := names
		if t := w.f.Get(v, "T"); t.Kind() == object.String {
			path = append(slices.Clip(path), object.FromText(w.f.String(t)))
		}
		if isSig && !w.signed(v, path) {
			return false
		}
		kids := w.f.Get(v, "Kids")
		if kids.Kind() != object.Array {
			continue
		}
		if ref.Num != 0 {
			w.seen[ref.Num] = true
		}
		if !w.list(kids, path, isSig, depth+1) {
			return false
		}
	}
	return true
}

func (w *walk) signed(v xref.Value, path []string) bool {
	entry := v.Key("V")
	ref, _ := entry.Ref()
	value := w.f.Resolve(entry)
	if value.Kind() != object.Dict {
		return true
	}
	return w.yield(SignedField{Name: strings.Join(path, "."), Field: v, Signature: value, Ref: ref})
}

// DocMDPLevel is what a certifying signature permits: 1 nothing, 2 filling in forms
// and signing, 3 notes as well (ISO 32000-1, table 254). It is 0 for a
// signature that certifies nothing.
func DocMDPLevel(f *xref.File, sig xref.Value) int {
	for ref := range f.Elems(f.Get(sig, "Reference")) {
		if !f.Get(ref, "TransformMethod").Is("DocMDP") {
			continue
		}
		if p, ok := f.Get(f.Get(ref, "TransformParams"), "P").Int(); ok && p >= 1 && p <= 3 {
			return int(p)
		}
		return 2
	}
	return 0
}
