package diff

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// checkDrawing finds form fields and annotations that something is drawn with: resources may
// have any name, and so also one of those by which an object refers to its annotations. What
// changes such an object as an annotation would change what it draws.
func (c *comparer) checkDrawing() {
	w := drawingWalk{comparer: c, seen: map[uint32]bool{}}
	w.pageNodes(c.a.Root.Key("Pages"), map[uint32]bool{}, 0)
	for _, f := range c.formA.fields {
		w.value(f.dict.Key("AP"))
	}
	w.value(c.a.Get(c.a.Root, "AcroForm").Key("DR"))
	for len(w.queue) > 0 && c.step() {
		ref := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		w.value(c.a.Object(ref))
	}
}

// drawingWalk goes through what pages and annotations are drawn with.
type drawingWalk struct {
	*comparer
	seen  map[uint32]bool
	queue []object.Ref
}

// pageNodes goes through the page tree.
func (w *drawingWalk) pageNodes(entry xref.Value, seen map[uint32]bool, depth int) {
	ref, ok := entry.Ref()
	v := w.a.Resolve(entry)
	if v.Kind() != object.Dict || depth > maxPageDepth || ok && seen[ref.Num] || !w.step() {
		return
	}
	if ok {
		seen[ref.Num] = true
	}
	w.value(v.Key("Resources"))
	w.value(v.Key("Contents"))
	w.value(v.Key("Group"))
	for e := range w.a.Get(v, "Annots").Parts() {
		w.value(w.a.Resolve(e).Key("AP"))
	}
	for kid := range w.a.Get(v, "Kids").Parts() {
		w.pageNodes(kid, seen, depth+1)
	}
}

// value notes the references of a value. The private data of a form are not drawn.
func (w *drawingWalk) value(v xref.Value) {
	if !v.IsStream() {
		w.references(v, "", w.visit)
		return
	}
	for k, e := range v.Pairs() {
		if !k.Is("PieceInfo") && !k.Is("Ref") && !k.Is("AF") {
			w.references(v.Part(e), "", w.visit)
		}
	}
}

func (w *drawingWalk) visit(ref object.Ref, _ string) {
	if w.seen[ref.Num] {
		return
	}
	w.seen[ref.Num] = true
	switch w.roles[ref.Num] {
	case fieldRole, annotationRole:
		w.add(Never, "object %d serves as two different things", ref.Num)
	case noRole:
		w.queue = append(w.queue, ref)
	}
}
