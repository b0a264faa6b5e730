package diff

import (
	"math"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// annotation is one that was added.
type annotation struct {
	page int
	dict xref.Value
}

// Annotation flags, ISO 32000-2, table 167.
const (
	flagInvisible = 1
	flagHidden    = 1 << 1
	flagNoView    = 1 << 5
)

// keptAnnotation compares an annotation that is in both lists.
func (w *pageWalk) keptAnnotation(x, y xref.Value) {
	ref, indirect := x.Ref()
	if indirect && w.formA.fields[ref.Num] != nil {
		if w.formB.fields[ref.Num] == nil {
			w.add(Never, "page %d shows a form field that the form does not know any more", w.number)
		}
		return // compared as a field
	}
	if indirect && w.formB.fields[ref.Num] != nil {
		w.add(Never, "an annotation of page %d was made a form field", w.number)
		return
	}
	before, after := w.a.Resolve(x), w.b.Resolve(y)
	if w.sameAnnotation(before, after) {
		return
	}
	if indirect {
		w.modified[ref.Num] = true
	}
	if why := w.isHarmless(after, before); why != "" && !(w.looksSame(before, after) && w.isNote(after, before)) {
		w.add(Never, "page %d: %s", w.number, why)
		return
	}
	w.add(Annotating, "page %d: an annotation was modified", w.number)
}

func (w *pageWalk) sameAnnotation(before, after xref.Value) bool {
	if before.Kind() != object.Dict {
		return w.match(before, after, "Annots", func(ref object.Ref, key string) { w.follow(ref, key, "an annotation") })
	}
	old, ok1 := entries(before)
	now, ok2 := entries(after)
	same := ok1 && ok2 && after.Kind() == object.Dict && before.IsStream() == after.IsStream()
	for _, key := range keys(old, now) {
		same = same && w.sameBelow(old[key], now[key], key)
	}
	return same
}

// removedAnnotation notes an annotation that is not in the list any more.
func (w *pageWalk) removedAnnotation(e xref.Value) {
	ref, _ := e.Ref()
	v := w.a.Resolve(e)
	if v.IsNull() {
		return
	}
	if ref.Num != 0 {
		w.removed[ref.Num] = true
	}
	f := w.formA.fields[ref.Num]
	switch {
	case f != nil && f.kind == "Sig":
		w.add(Never, "page %d does not show signature field %q any more", w.number, f.name)
	case f != nil:
		w.addField(Annotating, f.name, "page %d does not show form field %q any more", w.number, f.name)
	case w.a.Get(v, "Subtype").Is("Widget"):
		w.add(Never, "page %d does not show a form field any more", w.number)
	default:
		w.add(Annotating, "page %d: an annotation was removed", w.number)
	}
}

// addedAnnotation checks an annotation that was added.
func (w *pageWalk) addedAnnotation(e xref.Value) {
	ref, indirect := e.Ref()
	v := w.b.Resolve(e)
	if indirect && w.claimed[ref.Num] || v.Kind() != object.Dict || v.IsStream() {
		w.add(Never, "page %d has an annotation that is none", w.number)
		return
	}
	w.claimed[ref.Num] = indirect
	if indirect {
		w.added[ref.Num] = annotation{w.number, v}
		was, is := w.formA.fields[ref.Num], w.formB.fields[ref.Num]
		fresh := w.isNew(ref.Num) || was != nil && is != nil && was.kind == "Sig" && is.kind == "Sig" && w.a.Resolve(was.value).IsNull()
		if !fresh {
			w.add(Never, "page %d shows an object as an annotation that was something else when it was signed", w.number)
			return
		}
	}
	if f := w.formB.fields[ref.Num]; f != nil && f.kind == "Sig" {
		if why := w.hides(v, true); why != "" {
			w.addUncertified("", f.name, "page %d: signature field %q %s", w.number, f.name, why)
		}
		return // its level is that of its field
	}
	if why := w.isHarmless(v, xref.Value{}); why != "" {
		w.add(Never, "page %d: %s", w.number, why)
		return
	}
	w.add(Annotating, "page %d: an annotation was added", w.number)
}

// notes are the kinds of annotations that people write onto a document.
var notes = map[string]bool{"Text": true, "Link": true, "FreeText": true, "Line": true, "Square": true, "Circle": true, "Polygon": true,
	"PolyLine": true, "Highlight": true, "Underline": true, "Squiggly": true, "StrikeOut": true, "Stamp": true, "Caret": true, "Ink": true,
	"Popup": true, "FileAttachment": true}

// looksSame reports whether an annotation that brings its look looks as it did.
func (w *pageWalk) looksSame(before, after xref.Value) bool {
	same := !w.a.Get(before, "AP").IsNull()
	for _, key := range []string{"AP", "AS", "Rect", "F", "OC", "Subtype"} {
		same = same && w.sameBelow(before.Key(key), after.Key(key), key)
	}
	return same
}

// isNote reports whether an annotation is a note that does nothing by itself.
func (w *pageWalk) isNote(v, was xref.Value) bool {
	return notes[w.b.Get(v, "Subtype").Text()] && (v.Get("AA") == nil || was.Get("AA") != nil) && w.isHarmlessAction(v)
}

// isHarmless is empty for an annotation that a note may be, and else says what is wrong with
// it. was is the same annotation as it was signed.
func (w *pageWalk) isHarmless(v, was xref.Value) string {
	kind := w.b.Get(v, "Subtype").Text()
	switch {
	case v.Kind() != object.Dict || v.IsStream():
		return "an annotation is none any more"
	case kind == "Widget":
		return "a widget was added that belongs to no form field"
	case !notes[kind]:
		return "an annotation was added that is no note"
	case !w.isNote(v, was):
		return "an annotation does something by itself"
	}
	if why := w.hides(v, false); why != "" {
		return "an annotation " + why
	}
	return ""
}

// isHarmlessAction reports whether an annotation leads to a page or to an address at most.
func (w *pageWalk) isHarmlessAction(v xref.Value) bool {
	a := w.b.Get(v, "A")
	if a.IsNull() {
		return true
	}
	s := w.b.Get(a, "S")
	return (s.Is("URI") || s.Is("GoTo")) && a.Get("Next") == nil && w.b.Get(v, "Subtype").Is("Link")
}

// hides says what an annotation of the later revision covers that was signed; it is
// empty where that is nothing.
func (w *pageWalk) hides(v xref.Value, signature bool) string {
	r, ok := visibleRect(w.b, v)
	if !ok || w.isTransparent(v, r) {
		return ""
	}
	if w.b.Get(v, "AP").IsNull() {
		r = w.extent(v, r)
	}
	if !w.look() {
		return "may cover what was signed"
	}
	if w.occupied.Overlaps(r) {
		return "covers what stands on the page"
	}
	// Other notes may be taken away, and so they may be covered.
	for e := range w.a.Get(w.signed, "Annots").Parts() {
		ref, _ := e.Ref()
		f, other := w.formA.fields[ref.Num], w.a.Resolve(e)
		if f == nil && !w.a.Get(other, "Subtype").Is("Widget") || signature && f != nil && f.kind == "Sig" {
			continue
		}
		if box, ok := visibleRect(w.a, other); ok && overlap(box, r) {
			return "covers a form field"
		}
	}
	return ""
}

// look finds out where the page that is compared shows something.
func (w *pageWalk) look() bool {
	if !w.looked {
		w.looked = true
		if p := page.FindObject(w.b, w.ref.Num); w.ref.Num != 0 && p != nil {
			w.occupied, w.known = page.FindOccupied(w.b, p), true
		}
	}
	return w.known
}

// isTransparent reports whether an annotation shows what is below it, whatever program
// draws it.
func (w *pageWalk) isTransparent(v xref.Value, r page.Rect) bool {
	kind := w.b.Get(v, "Subtype")
	if kind.Is("Popup") {
		return true
	}
	if !w.b.Get(v, "AP").IsNull() {
		return kind.Is("Highlight") && w.multiplies(w.b.Get(w.b.Get(v, "AP"), "N"))
	}
	switch {
	case kind.Is("Highlight"):
		return isLight(parts(w.b.Get(v, "C")))
	case kind.Is("Text"):
		return true
	case kind.Is("Link"):
		return w.borderWidth(v) <= thinLine
	case kind.Is("Underline"), kind.Is("Squiggly"), kind.Is("StrikeOut"):
		return r.H() <= lineHeight && w.borderWidth(v) <= thinLine
	}
	return false
}

const (
	thinLine   = 3  // points: a line through which a text can be read
	lineHeight = 60 // of a line of text; what marks it is as thick as a part of it
)

// borderWidth is how thick an annotation's lines are.
func (w *pageWalk) borderWidth(v xref.Value) float64 {
	width := 1.0
	i := 0
	for e := range w.b.Elems(w.b.Get(v, "Border")) {
		if n, ok := e.Real(); ok && i == 2 {
			width = n
		}
		i++
	}
	if n, ok := w.b.Get(w.b.Get(v, "BS"), "W").Real(); ok {
		width = n
	}
	return width
}

// extent is where an annotation without a look of its own can be drawn: along its lines,
// which may lead out of its rectangle.
func (w *pageWalk) extent(v xref.Value, r page.Rect) page.Rect {
	grow := func(list xref.Value) {
		var x float64
		i := 0
		for e := range w.b.Elems(list) {
			n, ok := e.Real()
			if !ok {
				continue
			}
			if i++; i%2 == 1 {
				x = n
				continue
			}
			r = page.Rect{X0: math.Min(r.X0, x), Y0: math.Min(r.Y0, n), X1: math.Max(r.X1, x), Y1: math.Max(r.Y1, n)}
		}
	}
	for _, key := range []string{"L", "CL", "Vertices", "QuadPoints"} {
		grow(w.b.Get(v, key))
	}
	for stroke := range w.b.Elems(w.b.Get(v, "InkList")) {
		grow(stroke)
	}
	half := math.Max(w.borderWidth(v), 0) / 2
	return page.Rect{X0: r.X0 - half, Y0: r.Y0 - half, X1: r.X1 + half, Y1: r.Y1 + half}
}

// visibleRect is where an annotation is seen; ok is false where it is not.
func visibleRect(f *xref.File, v xref.Value) (r page.Rect, ok bool) {
	if flags, _ := f.Get(v, "F").Int(); flags&flagHidden != 0 {
		return r, false
	}
	var n [4]float64
	i := 0
	for e := range f.Elems(f.Get(v, "Rect")) {
		x, isNumber := e.Real()
		if !isNumber || i > 3 {
			return r, false
		}
		n[i], i = x, i+1
	}
	r = page.Rect{X0: math.Min(n[0], n[2]), Y0: math.Min(n[1], n[3]), X1: math.Max(n[0], n[2]), Y1: math.Max(n[1], n[3])}
	return r, i == 4 && r.W() > 0 && r.H() > 0
}

func overlap(a, b page.Rect) bool {
	return math.Min(a.X1, b.X1) > math.Max(a.X0, b.X0) && math.Min(a.Y1, b.Y1) > math.Max(a.Y0, b.Y0)
}
