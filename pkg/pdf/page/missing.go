package page

import (
	"fmt"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Missing names something that a page refers to and that the file does not hold: the
// page itself, its content, a font or an image; "" where everything is there. It serves to recognise
// a file that was cut off behind a whole object.
func Missing(f *xref.File) string {
	w := missing{f: f, seen: map[uint32]bool{}}
	w.node(f.Root.Part(f.Root.Get("Pages")), 0)
	return w.what
}

type missing struct {
	f     *xref.File
	seen  map[uint32]bool
	nodes int
	pages int
	what  string
}

// node goes through a node of the page tree until something is missing.
func (w *missing) node(at xref.Value, depth int) {
	ref, isRef := at.Ref()
	v := w.f.Resolve(at)
	if w.nodes++; w.nodes > maxNodes || depth > maxDepth || isRef && w.seen[ref.Num] {
		return
	}
	w.seen[ref.Num] = isRef
	if v.Kind() != object.Dict {
		if isRef && v.IsNull() && depth > 0 {
			w.what = fmt.Sprintf("page %d", w.pages+1)
		}
		return
	}
	kids := w.f.Get(v, "Kids")
	if kids.Kind() != object.Array {
		w.pages++
		w.content(v)
		w.resources(v)
		return
	}
	for e := range kids.Parts() {
		if w.node(e, depth+1); w.what != "" {
			return
		}
	}
}

// content looks for a page's content streams.
func (w *missing) content(page xref.Value) {
	entry := page.Key("Contents")
	parts := []xref.Value{entry}
	if v := w.f.Resolve(entry); v.Kind() == object.Array {
		parts = nil
		for e := range v.Parts() {
			parts = append(parts, e)
		}
	}
	for _, e := range parts {
		if w.isMissing(e) {
			w.what = fmt.Sprintf("the content of page %d", w.pages)
		}
	}
}

// resources looks for a page's own fonts, images and forms.
func (w *missing) resources(page xref.Value) {
	entry := page.Key("Resources")
	if w.isMissing(entry) {
		w.what = fmt.Sprintf("the fonts of page %d", w.pages)
	}
	for _, kind := range []string{"Font", "XObject"} {
		all := w.f.Get(w.f.Resolve(entry), kind)
		for _, o := range all.Pairs() {
			if w.isMissing(all.Part(o)) {
				w.what = fmt.Sprintf("a font or an image of page %d", w.pages)
			}
		}
	}
}

// isMissing reports whether a value is a reference to nothing.
func (w *missing) isMissing(v xref.Value) bool {
	_, isRef := v.Ref()
	return isRef && w.f.Resolve(v).IsNull()
}
