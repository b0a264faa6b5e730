package pdf

import (
	"cmp"
	"maps"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxTagNodes = 20_000 // entries of a parent tree that is written anew
	maxTagDepth = 16
)

// tagTree is a document's structure tree (ISO 32000-1, 14.7), as far as an update adds to
// one page.
type tagTree struct {
	rootRef, topRef object.Ref
	root, top       xref.Value // null: it is made new
	kids            []xref.Value
	parents         map[int64]xref.Value // the parent tree, by its keys
	next            int64                // the first key that is free
	pageKey         int64
	marks           []xref.Value // the elements of the page's marked content, by their numbers
}

// tagElement is a new element of a tree.
type tagElement struct {
	tag, alt string
	mark     int        // the number of its marked content; -1: it has none
	object   object.Ref // the annotation that it holds; Num 0: none
	key      int64      // of the annotation in the parent tree
	order    int        // its place among others
	ref      object.Ref
}

// readTags reads the structure tree. Where there is none, tree is nil; where there is one
// that nothing can be added to, ok is false.
func readTags(f *xref.File, p *page.Page) (tree *tagTree, ok bool) {
	entry := f.Root.Key("StructTreeRoot")
	root := f.Resolve(entry)
	if root.Kind() == object.Null {
		return nil, true
	}
	ref, indirect := entry.Ref()
	if !indirect || root.Kind() != object.Dict {
		return nil, false
	}
	t := &tagTree{rootRef: ref, topRef: ref, root: root, top: root, parents: map[int64]xref.Value{}}
	if !t.readParents(f, f.Get(root, "ParentTree"), 0) {
		return nil, false
	}
	t.next, _ = f.Get(root, "ParentTreeNextKey").Int()
	for key := range t.parents {
		t.next = max(t.next, key+1)
	}
	t.findTop(f)
	t.kids = kidsOf(f, t.top)
	var has bool
	if t.pageKey, has = f.Get(p.Value, "StructParents").Int(); !has {
		t.pageKey = t.next
		t.next++
		return t, true
	}
	marks := f.Resolve(t.parents[t.pageKey])
	if marks.Kind() != object.Array {
		return nil, false
	}
	t.marks = slices.Collect(marks.Parts())
	return t, true
}

// newTagTree is the tree of a document that has none.
func newTagTree(u *updateWriter) *tagTree {
	return &tagTree{rootRef: u.w.NewRef(), topRef: u.w.NewRef(), parents: map[int64]xref.Value{}, next: 1}
}

// readParents reads a number tree.
func (t *tagTree) readParents(f *xref.File, node xref.Value, depth int) bool {
	if depth > maxTagDepth || len(t.parents) > maxTagNodes {
		return false
	}
	numbers := slices.Collect(f.Get(node, "Nums").Parts())
	for i := 0; i+1 < len(numbers); i += 2 {
		key, ok := f.Resolve(numbers[i]).Int()
		if !ok || key < 0 {
			return false
		}
		t.parents[key] = numbers[i+1]
	}
	for kid := range f.Elems(f.Get(node, "Kids")) {
		if !t.readParents(f, kid, depth+1) {
			return false
		}
	}
	return true
}

// findTop goes to the element that holds all others, where there is one.
func (t *tagTree) findTop(f *xref.File) {
	kids := kidsOf(f, t.root)
	if len(kids) != 1 {
		return
	}
	ref, ok := kids[0].Ref()
	top := f.Resolve(kids[0])
	if ok && top.Kind() == object.Dict && slices.ContainsFunc([]string{"Document", "Part", "Sect", "Div"}, f.Get(top, "S").Is) {
		t.topRef, t.top = ref, top
	}
}

func kidsOf(f *xref.File, element xref.Value) []xref.Value {
	entry := element.Key("K")
	switch v := f.Resolve(entry); v.Kind() {
	case object.Null:
		return nil
	case object.Array:
		return slices.Collect(v.Parts())
	default:
		return []xref.Value{entry}
	}
}

// nextMark is the number of the next marked content of the page.
func (t *tagTree) nextMark() int { return len(t.marks) }

// nextKey takes a key of the parent tree.
func (t *tagTree) nextKey() int64 {
	t.next++
	return t.next - 1
}

// write writes new elements, and anew what leads to them. The marks of the elements follow
// those of the page. orders are the places of the last elements that were there.
func (t *tagTree) write(u *updateWriter, elements []tagElement, orders []int) error {
	for i := range elements {
		elements[i].ref = u.w.NewRef()
		if err := t.writeElement(u, elements[i]); err != nil {
			return err
		}
	}
	if err := t.writeTop(u, elements, orders); err != nil {
		return err
	}
	return t.writeParents(u, elements)
}

func (t *tagTree) writeElement(u *updateWriter, e tagElement) error {
	w := u.w
	w.Begin(e.ref)
	w.Raw("<</Type/StructElem/S/" + e.tag + "/P")
	w.Ref(t.topRef)
	w.Raw("/Pg")
	w.Ref(u.pageRef)
	if e.alt != "" {
		w.Raw("/Alt")
		if err := w.Text(e.alt); err != nil {
			return err
		}
	}
	w.Raw("/K")
	if e.object.Num != 0 {
		w.Raw("<</Type/OBJR/Obj")
		w.Ref(e.object)
		w.Raw("/Pg")
		w.Ref(u.pageRef)
		w.Raw(">>")
	} else {
		w.Int(e.mark)
	}
	w.Raw(">>")
	w.End()
	return nil
}

// writeTop writes the root and the element that holds the others.
func (t *tagTree) writeTop(u *updateWriter, elements []tagElement, orders []int) error {
	w := u.w
	w.Begin(t.rootRef)
	w.Raw("<<")
	replaced := []string{"ParentTree", "ParentTreeNextKey"}
	if t.topRef == t.rootRef {
		replaced = append(replaced, "K")
	}
	if t.root.Kind() == object.Null {
		w.Raw("/Type/StructTreeRoot/K[")
		w.Ref(t.topRef)
		w.Raw("]")
	} else if err := w.CopyEntries(t.root, replaced); err != nil {
		return err
	}
	parents := w.NewRef()
	w.Raw("/ParentTree")
	w.Ref(parents)
	w.Raw("/ParentTreeNextKey")
	w.Int(int(t.next))
	if t.topRef != t.rootRef {
		w.Raw(">>")
		w.End()
		w.Begin(t.topRef)
		w.Raw("<<")
		if t.top.Kind() == object.Null {
			w.Raw("/Type/StructElem/S/Document/P")
			w.Ref(t.rootRef)
		} else if err := w.CopyEntries(t.top, []string{"K"}); err != nil {
			return err
		}
	}
	if err := t.writeKids(u, elements, orders); err != nil {
		return err
	}
	w.Raw(">>")
	w.End()
	w.Begin(parents)
	return nil
}

// writeKids puts the new elements between those that are there.
func (t *tagTree) writeKids(u *updateWriter, elements []tagElement, orders []int) error {
	type kid struct {
		order int
		value xref.Value
		ref   object.Ref
	}
	var all []kid
	for i, v := range t.kids {
		k := kid{order: -1, value: v}
		if at := i - (len(t.kids) - len(orders)); at >= 0 {
			k.order = orders[at]
		}
		all = append(all, k)
	}
	for _, e := range elements {
		all = append(all, kid{order: e.order, ref: e.ref})
	}
	slices.SortStableFunc(all, func(a, b kid) int { return cmp.Compare(a.order, b.order) })
	u.w.Raw("/K[")
	for _, k := range all {
		if k.ref.Num != 0 {
			u.w.Ref(k.ref)
		} else if err := u.w.Copy(k.value); err != nil {
			return err
		}
	}
	u.w.Raw("]")
	return nil
}

// writeParents writes the open parent tree.
func (t *tagTree) writeParents(u *updateWriter, elements []tagElement) error {
	w := u.w
	w.Raw("<</Nums[")
	keys := slices.Collect(maps.Keys(t.parents))
	if _, ok := t.parents[t.pageKey]; !ok {
		keys = append(keys, t.pageKey)
	}
	slices.Sort(keys)
	for _, key := range keys {
		w.Int(int(key))
		if key != t.pageKey {
			if err := w.Copy(t.parents[key]); err != nil {
				return err
			}
			continue
		}
		w.Raw("[")
		for _, m := range t.marks {
			if err := w.Copy(m); err != nil {
				return err
			}
		}
		for _, e := range elements {
			if e.mark >= 0 {
				w.Ref(e.ref)
			}
		}
		w.Raw("]")
	}
	for _, e := range elements {
		if e.object.Num != 0 {
			w.Int(int(e.key))
			w.Ref(e.ref)
		}
	}
	w.Raw("]>>")
	w.End()
	return nil
}
