// Package page finds a page of a document and what a drawing on it must know: its boxes, its
// rotation, its resources and whether its content leaves the graphics state as it was (ISO
// 32000-1, 7.7.3). It goes through content for three purposes, with one reader of operators:
// where something is drawn, what a reader sees, and which words there are.
package page

import (
	"math"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxDepth = 256
	maxNodes = 200_000 // nodes of the page tree looked at on the way to a page
)

// Rect is a rectangle in default user space units, corners in order.
type Rect struct{ X0, Y0, X1, Y1 float64 }

// W is the width.
func (r Rect) W() float64 { return r.X1 - r.X0 }

// H is the height.
func (r Rect) H() float64 { return r.Y1 - r.Y0 }

func (r Rect) intersect(o Rect) Rect {
	return Rect{max(r.X0, o.X0), max(r.Y0, o.Y0), min(r.X1, o.X1), min(r.Y1, o.Y1)}
}

// Page is one page, with what it inherits.
type Page struct {
	xref.Value
	Ref           object.Ref // Num 0: the page stands in its parent's Kids, not by reference
	Parent        xref.Value // the node that lists it
	KidIndex      int        // its place there
	MalformedKids bool       // viewers stumble over the list: it is no array, or has holes in front of the page
	Number        int        // from 1
	Resources     xref.Value
	OwnResources  bool // Resources is the page's own entry and not inherited
	Box           Rect // what a reader sees: CropBox within MediaBox
	NoVisiblePart bool // the CropBox lies beside the MediaBox: viewers do not agree on what to show
	Rotate        int  // 0, 90, 180 or 270, clockwise
	UserUnit      float64
}

// VisibleSize is the page's size as a reader sees it, in points of 1/72 inch.
func (p *Page) VisibleSize() (w, h float64) {
	w, h = p.Box.W()*p.UserUnit, p.Box.H()*p.UserUnit
	if p.Rotate%180 != 0 {
		w, h = h, w
	}
	return w, h
}

// inherited are the attributes that a node hands down (ISO 32000-1, table 30).
type inherited struct {
	resources, media, crop, rotate xref.Value
	own                            bool
}

type walk struct {
	f     *xref.File
	left  int    // pages still to pass
	want  uint32 // the object number of the page that is looked for; 0: one by its number
	nodes int
	seen  map[uint32]bool
	loop  bool // a node was met twice
	deep  bool // it nests beyond maxDepth
	found *Page
	depth int // at which it was found
}

// Count is the number of pages that the catalog announces, at least 1 when a
// page can be found.
func Count(f *xref.File) int {
	n, _ := f.Get(f.Get(f.Root, "Pages"), "Count").Int()
	return int(min(max(n, 1), 1<<24))
}

// Last stands for the number of the last page.
const Last = -1

// Find returns page n, counted from 1; Last is the last one.
func Find(f *xref.File, n int) (*Page, error) {
	if n == Last {
		n = lastNumber(f)
	}
	w := walk{f: f, left: max(n, 1), seen: make(map[uint32]bool, 8)}
	if f.RootRef.Num != 0 {
		w.seen[f.RootRef.Num] = true // the catalog is no page
	}
	ref, _ := f.Root.Get("Pages").Ref()
	root := f.Get(f.Root, "Pages")
	if root.Kind() != object.Dict {
		return nil, reject.New(reject.NoPages, "The document has no pages")
	}
	w.node(ref, root, xref.Value{}, 0, inherited{}, 0)
	switch {
	case w.found != nil:
		w.found.Number = max(n, 1)
		return w.found, nil
	case w.nodes > maxNodes:
		return nil, reject.New(reject.TooComplex, "The document's page tree is too large")
	case w.left < max(n, 1):
		return nil, reject.Newf(reject.NoSuchPage, "The document has %d pages and no page %d", max(n, 1)-w.left, n)
	}
	switch {
	case w.deep:
		return nil, reject.Newf(reject.TooComplex, "The document's page tree nests deeper than %d levels", maxDepth)
	case w.loop:
		return nil, reject.New(reject.NoPages, "The document's page tree runs in a loop and leads to no page")
	}
	return nil, reject.New(reject.NoPages, "The document has no pages")
}

// lastNumber counts the pages that can be reached, as far as the nodes of the tree do not say
// how many are below them.
func lastNumber(f *xref.File) int {
	const most = 1 << 30
	w := walk{f: f, left: most, seen: make(map[uint32]bool, 8)}
	ref, _ := f.Root.Get("Pages").Ref()
	w.node(ref, f.Get(f.Root, "Pages"), xref.Value{}, 0, inherited{}, 0)
	return most - w.left
}

// FindObject returns the page that is object num, and nil where the page tree does
// not lead to it.
func FindObject(f *xref.File, num uint32) *Page {
	w := walk{f: f, want: num, seen: make(map[uint32]bool, 8)}
	ref, _ := f.Root.Get("Pages").Ref()
	w.node(ref, f.Get(f.Root, "Pages"), xref.Value{}, 0, inherited{}, 0)
	return w.found
}

// node goes down into v; it is true when the search is over.
func (w *walk) node(ref object.Ref, v, parent xref.Value, kid int, in inherited, depth int) bool {
	if w.nodes++; w.nodes > maxNodes {
		return true
	}
	w.loop = w.loop || (ref.Num != 0 && w.seen[ref.Num])
	w.deep = w.deep || depth > maxDepth
	if v.Kind() != object.Dict || depth > maxDepth || (ref.Num != 0 && w.seen[ref.Num]) {
		return false
	}
	if ref.Num != 0 {
		w.seen[ref.Num] = true
	}
	in = in.with(w.f, v)
	kids := w.f.Get(v, "Kids")
	if kids.Kind() == object.Dict { // one page, and no array around it
		r, _ := v.Get("Kids").Ref()
		done := w.node(r, kids, v, 0, in, depth+1)
		if w.found != nil && depth+1 == w.depth {
			w.found.MalformedKids = true
		}
		return done
	}
	if kids.Kind() != object.Array {
		if v.Get("Type").Is("Pages") || v.Get("Type").Is("Catalog") {
			return false
		}
		if w.left--; w.left == 0 || w.want != 0 && w.want == ref.Num {
			w.found, w.depth = w.page(ref, v, parent, kid, in), depth
			return true
		}
		return false
	}
	if n, ok := w.f.Get(v, "Count").Int(); ok && n > 0 && depth > 0 && int64(w.left) > n && w.want == 0 {
		w.left -= int(n)
		return false
	}
	return w.kids(kids, v, in, depth)
}

func (w *walk) kids(kids, parent xref.Value, in inherited, depth int) bool {
	i, holes := 0, false
	for e := range kids.Parts() {
		r, _ := e.Ref()
		kid := w.f.Resolve(e)
		holes = holes || kid.Kind() != object.Dict
		if w.node(r, kid, parent, i, in, depth+1) {
			if w.found != nil && depth+1 == w.depth {
				w.found.MalformedKids = holes
			}
			return true
		}
		i++
	}
	return false
}

func (in inherited) with(f *xref.File, v xref.Value) inherited {
	in.own = false
	take := func(to *xref.Value, key string) bool {
		e := f.Get(v, key)
		if e.IsNull() {
			return false
		}
		*to = e
		return true
	}
	in.own = take(&in.resources, "Resources")
	take(&in.media, "MediaBox")
	take(&in.crop, "CropBox")
	take(&in.rotate, "Rotate")
	return in
}

func (w *walk) page(ref object.Ref, v, parent xref.Value, kid int, in inherited) *Page {
	p := &Page{Value: v, Ref: ref, Parent: parent, KidIndex: kid, Resources: in.resources, OwnResources: in.own, UserUnit: 1}
	media, ok := rect(w.f, in.media)
	if !ok {
		media = Rect{0, 0, 612, 792} // what viewers take for a page without a size
	}
	p.Box = media
	if crop, ok := rect(w.f, in.crop); ok {
		both := crop.intersect(media)
		if p.NoVisiblePart = both.W() <= 0 || both.H() <= 0; !p.NoVisiblePart {
			p.Box = both
		}
	}
	if n, ok := in.rotate.Int(); ok && n%90 == 0 {
		p.Rotate = int((n%360 + 360) % 360)
	}
	if u, ok := w.f.Get(v, "UserUnit").Real(); ok && u > 0 && u <= 75000 {
		p.UserUnit = u
	}
	return p
}

func rect(f *xref.File, v xref.Value) (Rect, bool) {
	var n [4]float64
	i := 0
	for e := range f.Elems(v) {
		x, ok := e.Real()
		if !ok || i > 3 || math.Abs(x) > 1e7 {
			return Rect{}, false
		}
		n[i], i = x, i+1
	}
	r := Rect{min(n[0], n[2]), min(n[1], n[3]), max(n[0], n[2]), max(n[1], n[3])}
	return r, i == 4 && r.W() > 0 && r.H() > 0
}
