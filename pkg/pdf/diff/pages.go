package diff

import (
	"fmt"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxPages     = 50_000
	maxPageDepth = 64
)

// pageUse is a page of the signed revision.
type pageUse struct {
	dict   xref.Value
	number int // from 1
}

// claimPages finds the pages of the signed revision and the nodes above them.
func (c *comparer) claimPages(entry xref.Value, seen map[uint32]bool, depth int) {
	ref, ok := entry.Ref()
	v := c.a.Resolve(entry)
	if v.Kind() != object.Dict || depth > maxPageDepth || len(c.pages) >= maxPages || ok && seen[ref.Num] {
		return
	}
	if ok {
		seen[ref.Num] = true
		c.claim(ref.Num, pageRole)
	}
	kids := c.a.Get(v, "Kids")
	if kids.Kind() != object.Array {
		c.pages = append(c.pages, pageUse{v, len(c.pages) + 1})
		return
	}
	for kid := range kids.Parts() {
		c.claimPages(kid, seen, depth+1)
	}
}

// comparePages compares the page trees (ISO 32000-2, 7.7.3).
func (c *comparer) comparePages() {
	c.added, c.removed, c.modified = map[uint32]annotation{}, map[uint32]bool{}, map[uint32]bool{}
	w := pageWalk{comparer: c, seen: map[uint32]bool{}, claimed: map[uint32]bool{}}
	w.node(c.a.Root.Key("Pages"), c.b.Root.Key("Pages"), 0)
}

type pageWalk struct {
	*comparer
	seen    map[uint32]bool
	claimed map[uint32]bool // annotations that a page was found to have

	// Of the page that is compared.
	number   int // from 1
	ref      object.Ref
	signed   xref.Value
	occupied page.Occupied
	known    bool // occupied is known
	looked   bool // it was tried to know it
}

// node compares a node of the tree, or a page.
func (w *pageWalk) node(x, y xref.Value, depth int) {
	ref, indirect := x.Ref()
	before, after := w.a.Resolve(x), w.b.Resolve(y)
	switch {
	case before.Kind() != object.Dict && w.match(x, y, "Kids", func(ref object.Ref, key string) { w.follow(ref, key, "the list of pages") }):
		return // a hole
	case !sameRef(x, y), before.Kind() != object.Dict, after.Kind() != object.Dict, after.IsStream(), before.IsStream(), depth > maxPageDepth,
		w.number >= maxPages:
		w.add(Never, "the list of pages was changed")
		return
	case indirect && w.seen[ref.Num], !w.step():
		return
	}
	if indirect {
		w.seen[ref.Num] = true
	}
	kids := w.a.Get(before, "Kids")
	if kids.Kind() != object.Array {
		w.number++
		w.ref, w.signed, w.looked, w.known = ref, before, false, false
		w.page(before, after)
		return
	}
	visit := func(ref object.Ref, key string) { w.follow(ref, key, "what the pages have in common ("+key+")") }
	if !w.matchDicts(before, after, map[string]bool{"Kids": true}, visit) {
		w.add(Never, "what the pages have in common was changed")
	}
	old, now := parts(kids), parts(w.b.Get(after, "Kids"))
	if len(old) != len(now) {
		w.add(Never, "the list of pages was changed")
		return
	}
	for i := range old {
		w.node(old[i], now[i], depth+1)
	}
}

// page compares a page: nothing of it may change but its annotations.
func (w *pageWalk) page(x, y xref.Value) {
	before, ok1 := entries(x)
	after, ok2 := entries(y)
	if !ok1 || !ok2 {
		// Of a page that nobody touched, what is there twice is what was signed.
		if string(x.Object) != string(y.Object) {
			w.add(Never, "page %d has an entry twice", w.number)
		}
	}
	for _, key := range keys(before, after) {
		v, u := before[key], after[key]
		switch key {
		case "Annots":
		case "Tabs":
			w.tabs(v, u)
		case "LastModified":
		case "StructParents":
			if _, ok := w.b.Resolve(u).Int(); !v.IsNull() || !ok {
				w.same(key, v, u)
			}
		default:
			w.same(key, v, u)
		}
	}
	w.annotations(before["Annots"], after["Annots"])
}

func (w *pageWalk) same(key string, x, y xref.Value) {
	where := fmt.Sprintf("page %d (%s)", w.number, key)
	if key == "Contents" {
		where = fmt.Sprintf("the content of page %d", w.number)
	}
	w.mustMatch(x, y, key, where)
}

// tabs compares the order in which a page's annotations are gone through. Programs that
// add a signature to a tagged document set it to that of its structure.
func (w *pageWalk) tabs(x, y xref.Value) {
	switch {
	case w.sameBelow(x, y, "Tabs"):
	case x.IsNull() && w.b.Resolve(y).Is("S"):
		w.add(Validation, "page %d has its annotations in the order of its structure", w.number)
	default:
		w.add(Annotating, "page %d has its annotations in another order", w.number)
	}
}

// annotations compares the lists of a page's annotations: those that stay keep their
// order.
func (w *pageWalk) annotations(x, y xref.Value) {
	before, after := w.a.Resolve(x), w.b.Resolve(y)
	if before.Kind() != object.Array && !before.IsNull() || after.Kind() != object.Array && !after.IsNull() {
		w.mustMatch(x, y, "Annots", fmt.Sprintf("page %d (Annots)", w.number))
		return
	}
	old, now := parts(before), parts(after)
	place := map[uint32]int{}
	for i, e := range old {
		if ref, ok := e.Ref(); ok {
			place[ref.Num] = i
		}
	}
	i := 0
	for _, e := range now {
		ref, ok := e.Ref()
		at, was := place[ref.Num]
		if !ok {
			for at = i; at < len(old) && !w.match(old[at], e, "Annots", func(object.Ref, string) {}); at++ {
			}
			was = at < len(old)
		}
		switch {
		case !was && w.b.Resolve(e).IsNull():
		case !was:
			w.addedAnnotation(e)
		case at < i:
			w.add(Never, "page %d has its annotations one above the other in another order", w.number)
		default:
			for ; i < at; i++ {
				w.removedAnnotation(old[i])
			}
			w.keptAnnotation(old[i], e)
			i++
		}
	}
	for ; i < len(old); i++ {
		w.removedAnnotation(old[i])
	}
}
