package diff

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const maxStructure = 200_000 // structure elements gone through

// claimStructure finds the structure elements of the signed revision (ISO 32000-2, 14.7).
func (c *comparer) claimStructure() {
	root := c.a.Get(c.a.Root, "StructTreeRoot")
	if root.Kind() != object.Dict {
		return
	}
	if ref, ok := c.a.Root.Get("StructTreeRoot").Ref(); ok {
		c.claim(ref.Num, structureRole)
	}
	left := maxStructure
	c.claimElements(root, &left, 0)
}

func (c *comparer) claimElements(v xref.Value, left *int, depth int) {
	for _, kid := range kidsOf(c.a, v) {
		ref, ok := kid.Ref()
		if *left--; *left < 0 || depth > object.MaxDepth || ok && c.roles[ref.Num] == structureRole {
			continue
		}
		e := c.a.Resolve(kid)
		if e.Kind() != object.Dict || !isElement(e) {
			continue
		}
		if ok {
			c.claim(ref.Num, structureRole)
		}
		c.claimElements(e, left, depth+1)
	}
}

// isElement reports whether a kid of a structure element is an element itself, and not
// a reference to content or to an annotation.
func isElement(v xref.Value) bool {
	t := v.Get("Type")
	return !t.Is("OBJR") && !t.Is("MCR") && v.Get("S") != nil
}

// kidsOf are the kids of a structure element: one, or an array of them.
func kidsOf(f *xref.File, v xref.Value) []xref.Value {
	k := v.Key("K")
	resolved := f.Resolve(k)
	if resolved.Kind() == object.Array {
		return parts(resolved)
	}
	if resolved.IsNull() {
		return nil
	}
	return []xref.Value{k}
}

// structure compares the structure trees of a tagged document. An annotation that came,
// went or was modified may take its place in the tree with it.
func (c *comparer) structure(x, y xref.Value) {
	before, after := c.a.Resolve(x), c.b.Resolve(y)
	ref, indirect := y.Ref()
	moved := indirect && c.isNew(ref.Num) && !after.IsStream()
	if before.Kind() != object.Dict || after.Kind() != object.Dict || !sameRef(x, y) && !moved {
		c.mustMatch(x, y, "StructTreeRoot", "the document's structure")
		return
	}
	t := structureTree{comparer: c, seen: map[uint32]bool{}}
	visit := func(ref object.Ref, key string) { c.follow(ref, key, "the document's structure") }
	but := map[string]bool{"K": true, "ParentTree": true, "ParentTreeNextKey": true}
	if !c.matchDicts(before, after, but, visit) {
		c.add(Never, "the document's structure was changed")
	}
	t.kids(before, after, 0)
	t.parentTree(before.Key("ParentTree"), after.Key("ParentTree"))
}

// sameRef reports whether two values are references to the same object, or none is one.
func sameRef(x, y xref.Value) bool {
	a, ok1 := x.Ref()
	b, ok2 := y.Ref()
	return ok1 == ok2 && a == b
}

type structureTree struct {
	*comparer
	seen map[uint32]bool
}

// kids compares the kids of an element: those that hold content stay, in their order.
func (t *structureTree) kids(before, after xref.Value, depth int) {
	if depth > object.MaxDepth {
		t.add(Never, "the document's structure was changed")
		return
	}
	now := kidsOf(t.b, after)
	j := 0
	for _, kid := range kidsOf(t.a, before) {
		if !t.step() {
			return
		}
		at := j
		for at < len(now) && !t.sameKid(kid, now[at]) {
			at++
		}
		if at == len(now) {
			if !t.onlyAnnotations(t.a, kid, t.removed, 0) {
				t.add(Never, "the document's structure was changed")
			}
			continue
		}
		for ; j < at; j++ {
			t.addedKid(now[j])
		}
		j = at + 1
		t.element(kid, now[at], depth)
	}
	for ; j < len(now); j++ {
		t.addedKid(now[j])
	}
}

// addedKid checks a kid that was added.
func (t *structureTree) addedKid(kid xref.Value) {
	annotations := map[uint32]bool{}
	for num := range t.comparer.added {
		annotations[num] = true
	}
	if !t.onlyAnnotations(t.b, kid, annotations, 0) {
		t.add(Never, "the document's structure was added to")
	}
}

// sameKid reports whether two kids are the same one: the same object, the same content,
// or a reference to the same annotation.
func (t *structureTree) sameKid(x, y xref.Value) bool {
	a, ok1 := x.Ref()
	b, ok2 := y.Ref()
	if ok1 || ok2 {
		return ok1 && ok2 && a == b
	}
	if x.Get("Type").Is("OBJR") && y.Get("Type").Is("OBJR") {
		return sameRef(x.Key("Obj"), y.Key("Obj"))
	}
	return t.match(x, y, "K", func(object.Ref, string) {})
}

// element compares an element, or what stands for content.
func (t *structureTree) element(x, y xref.Value, depth int) {
	ref, indirect := x.Ref()
	if indirect && t.seen[ref.Num] {
		return
	}
	if indirect {
		t.seen[ref.Num] = true
	}
	before, after := t.a.Resolve(x), t.b.Resolve(y)
	visit := func(ref object.Ref, key string) { t.follow(ref, key, "the document's structure") }
	if before.Kind() == object.Dict && isElement(before) {
		if after.Kind() != object.Dict || after.IsStream() || !t.matchDicts(before, after, map[string]bool{"K": true}, visit) {
			t.add(Never, "the document's structure was changed")
			return
		}
		t.kids(before, after, depth+1)
		return
	}
	if before.Get("Type").Is("OBJR") {
		obj, _ := before.Get("Obj").Ref()
		if t.modified[obj.Num] && after.Get("Type").Is("OBJR") && sameRef(before.Key("Obj"), after.Key("Obj")) {
			return
		}
	}
	if !t.match(before, after, "K", visit) {
		t.add(Never, "the document's structure was changed")
	}
}

// onlyAnnotations reports whether a kid leads to the given annotations and to no
// content besides.
func (t *structureTree) onlyAnnotations(f *xref.File, kid xref.Value, which map[uint32]bool, depth int) bool {
	if ref, ok := kid.Ref(); ok && f == t.b && !t.isNew(ref.Num) {
		return false
	}
	v := f.Resolve(kid)
	if v.Kind() != object.Dict || v.IsStream() || depth > 16 || !t.step() {
		return false
	}
	if v.Get("Type").Is("OBJR") {
		ref, ok := v.Get("Obj").Ref()
		return ok && which[ref.Num]
	}
	if !isElement(v) {
		return false
	}
	for _, k := range kidsOf(f, v) {
		if !t.onlyAnnotations(f, k, which, depth+1) {
			return false
		}
	}
	return true
}

// parentTree compares the number trees that lead from content to its element.
func (t *structureTree) parentTree(x, y xref.Value) {
	before, after := map[int64]xref.Value{}, map[int64]xref.Value{}
	if !t.numbers(t.a, t.a.Resolve(x), before, 0) || !t.numbers(t.b, t.b.Resolve(y), after, 0) {
		t.mustMatch(x, y, "ParentTree", "the document's structure")
		return
	}
	visit := func(ref object.Ref, _ string) { t.follow(ref, "K", "the document's structure") }
	for n, v := range before {
		w, ok := after[n]
		if !ok {
			if t.a.Resolve(v).Kind() == object.Array || len(t.removed) == 0 {
				t.add(Never, "the document's structure was changed")
			}
			continue
		}
		if p, q := t.a.Resolve(v), t.b.Resolve(w); p.Kind() == object.Array && q.Kind() == object.Array {
			v, w = p, q
		}
		if !t.match(v, w, "K", visit) {
			t.add(Never, "the document's structure was changed")
		}
	}
}

// numbers reads a number tree.
func (t *structureTree) numbers(f *xref.File, v xref.Value, out map[int64]xref.Value, depth int) bool {
	if depth > 32 || !t.step() {
		return false
	}
	list := parts(f.Get(v, "Nums"))
	for i := 0; i+1 < len(list); i += 2 {
		n, ok := f.Resolve(list[i]).Int()
		if _, twice := out[n]; !ok || twice {
			return false
		}
		out[n] = list[i+1]
	}
	for kid := range f.Elems(f.Get(v, "Kids")) {
		if !t.numbers(f, kid, out, depth+1) {
			return false
		}
	}
	return true
}
