package diff

import (
	"bytes"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// backKeys are the entries by which objects refer to those that have a role: to the
// page that they are on, to their parent, to where a link leads. Such a
// reference draws nothing by itself.
var backKeys = map[string]bool{
	"P": true, "Parent": true, "Pg": true, "Data": true, "Obj": true, "Popup": true, "IRT": true, "D": true, "Dest": true, "Dests": true,
	"OpenAction": true, "CO": true, "Fields": true, "T": true, "Names": true, "Nums": true, "SE": true, "Ref": true, "K": true, "Kids": true,
	"R": true, "Annotation": true, "TA": true, "Page": true, "Pages": true, "Root": true, "ID": true, "Annots": true, "O": true,
}

// follow has an object that is referred to under a key compared as it stands.
func (c *comparer) follow(ref object.Ref, key, where string) {
	if c.roles[ref.Num] != noRole && backKeys[key] {
		return // compared as what it is
	}
	if !c.listed[ref.Num] {
		c.listed[ref.Num] = true
		c.queue = append(c.queue, pending{ref, where})
	}
}

// drain compares the objects that must be the same.
func (c *comparer) drain() {
	for len(c.queue) > 0 && c.step() {
		p := c.queue[len(c.queue)-1]
		c.queue = c.queue[:len(c.queue)-1]
		visit := func(ref object.Ref, key string) { c.follow(ref, key, p.where) }
		if c.untouched(p.ref.Num) {
			c.references(c.a.Object(p.ref), "", visit)
		} else if !c.sameObject(p.ref, visit) {
			c.add(Never, "%s was changed", p.where)
		}
	}
}

// sameObject compares an object of both revisions, streams with their data.
func (c *comparer) sameObject(ref object.Ref, visit func(object.Ref, string)) bool {
	x, y := c.a.Object(ref), c.b.Object(ref)
	if x.IsStream() != y.IsStream() || !c.match(x, y, "", visit) {
		return false
	}
	if !x.IsStream() {
		return true
	}
	_, ok1 := c.a.StreamEnd(x)
	_, ok2 := c.b.StreamEnd(y)
	if !ok1 || !ok2 {
		return false
	}
	before, err1 := c.a.Raw(x)
	after, err2 := c.b.Raw(y)
	return err1 == nil && err2 == nil && c.a.Crypt == nil && bytes.Equal(before, after)
}

// untouched reports whether both revisions have the same bytes for an object.
func (c *comparer) untouched(num uint32) bool {
	place := c.a.Place(num)
	if place != c.b.Place(num) {
		return false
	}
	if place.Stream != 0 {
		return c.a.Place(place.Stream).Stream == 0 && c.untouched(place.Stream)
	}
	if place == (xref.Place{}) {
		return true
	}
	// What the signed revision breaks off, an update could continue.
	ref := object.Ref{Num: num}
	x := c.a.Object(ref)
	if x.IsNull() {
		return c.b.Object(ref).IsNull() // an entry that points behind the signed revision's end
	}
	end := x.Pos + int64(len(x.Object))
	if x.Pos < 0 || end+64 > c.a.Size() {
		y := c.b.Object(ref)
		if x.IsStream() != y.IsStream() || !bytes.Equal(x.Object, y.Object) {
			return false
		}
	}
	if !x.IsStream() {
		return true
	}
	if _, ok := c.a.StreamEnd(x); ok {
		return true
	}
	before, err1 := c.a.Raw(x)
	after, err2 := c.b.Raw(c.b.Object(ref))
	return err1 == nil && err2 == nil && bytes.Equal(before, after)
}

// references calls visit for each reference within v. key is that of the dictionary
// in which v stands.
func (c *comparer) references(v xref.Value, key string, visit func(object.Ref, string)) {
	if !c.step() {
		return
	}
	switch v.Kind() {
	case object.Reference:
		if ref, ok := v.Ref(); ok {
			visit(ref, key)
		}
	case object.Array:
		for e := range v.Object.Elems() {
			if hasReference(e) {
				c.references(xref.Value{Object: e}, key, visit)
			}
		}
	case object.Dict:
		for k, e := range v.Pairs() {
			if hasReference(e) {
				c.references(xref.Value{Object: e}, k.Text(), visit)
			}
		}
	}
}

// hasReference tells by the first byte whether an object can be or hold a reference.
func hasReference(o object.Object) bool {
	return len(o) > 0 && (o[0] == '[' || o[0] == '<' && len(o) > 1 && o[1] == '<' || o.Kind() == object.Reference)
}

// match reports whether two values say the same. References must be to the same
// object; visit is called for each of them.
func (c *comparer) match(x, y xref.Value, key string, visit func(object.Ref, string)) bool {
	if !c.step() {
		return false
	}
	kind := x.Kind()
	if kind != y.Kind() {
		return c.matchMoved(x, y, key, visit)
	}
	switch kind {
	case object.Null:
		return true
	case object.Reference:
		a, ok1 := x.Ref()
		b, ok2 := y.Ref()
		if ok1 && ok2 && a == b {
			visit(a, key)
			return true
		}
		return c.matchMoved(x, y, key, visit)
	case object.Number:
		a, ok1 := x.Real()
		b, ok2 := y.Real()
		return ok1 && ok2 && a == b || bytes.Equal(x.Object, y.Object)
	case object.Name:
		return x.Text() == y.Text()
	case object.String:
		return bytes.Equal(c.a.String(x), c.b.String(y))
	case object.Array:
		return c.matchArrays(x, y, key, visit)
	case object.Dict:
		return c.matchDicts(x, y, nil, visit)
	}
	return bytes.Equal(x.Object, y.Object)
}

// matchMoved compares a value that became a new object, or that stood in an object and
// does so no more. What has a role, and streams, keep their numbers.
func (c *comparer) matchMoved(x, y xref.Value, key string, visit func(object.Ref, string)) bool {
	before, was := x.Ref()
	after, is := y.Ref()
	if !was && !is || is && !c.isNew(after.Num) || was && c.roles[before.Num] != noRole {
		return false
	}
	pair := [2]uint32{before.Num, after.Num}
	if was && is && c.moved[pair] {
		return true
	}
	if was {
		x = c.a.Object(before)
	}
	if is {
		y = c.b.Object(after)
	}
	if x.IsStream() || y.IsStream() || x.IsNull() || x.Kind() == object.Reference || x.Kind() != y.Kind() {
		return false
	}
	if was && is {
		c.moved[pair] = true
	}
	same := c.match(x, y, key, visit)
	if !same {
		clear(c.moved) // what was assumed, and what was found on that ground
	}
	return same
}

func (c *comparer) matchArrays(x, y xref.Value, key string, visit func(object.Ref, string)) bool {
	before, after := parts(x), parts(y)
	if len(before) != len(after) {
		return false
	}
	for i := range before {
		if !c.match(before[i], after[i], key, visit) {
			return false
		}
	}
	return true
}

// matchDicts compares two dictionaries but for some keys.
func (c *comparer) matchDicts(x, y xref.Value, but map[string]bool, visit func(object.Ref, string)) bool {
	before, ok1 := entries(x)
	after, ok2 := entries(y)
	if !ok1 || !ok2 {
		return false
	}
	for k, v := range before {
		if !but[k] && !c.match(v, after[k], k, visit) {
			return false
		}
	}
	for k, v := range after {
		if _, was := before[k]; !was && !but[k] && !v.IsNull() {
			return false
		}
	}
	return true
}

// entries are those of a dictionary. ok is false where a key stands twice: readers
// do not agree on which of the two counts.
func entries(v xref.Value) (m map[string]xref.Value, ok bool) {
	m, ok = map[string]xref.Value{}, true
	for k, e := range v.Pairs() {
		name := k.Text()
		if _, twice := m[name]; twice {
			ok = false
		}
		m[name] = v.Part(e)
	}
	return m, ok
}

func parts(v xref.Value) []xref.Value {
	var out []xref.Value
	for e := range v.Parts() {
		out = append(out, e)
	}
	return out
}

// mustMatch notes a change that no signature allows where two values differ.
func (c *comparer) mustMatch(x, y xref.Value, key, where string) {
	visit := func(ref object.Ref, key string) { c.follow(ref, key, where) }
	if !c.match(x, y, key, visit) {
		c.add(Never, "%s was changed", where)
		c.references(x, key, visit)
	}
}

// sameBelow reports whether two values and all that they refer to are the same,
// without noting anything. Objects that have a role are left to be compared as
// what they are.
func (c *comparer) sameBelow(x, y xref.Value, key string) bool {
	seen := map[uint32]bool{}
	var queue []object.Ref
	visit := func(ref object.Ref, key string) {
		if !seen[ref.Num] && !(c.roles[ref.Num] != noRole && backKeys[key]) {
			seen[ref.Num] = true
			queue = append(queue, ref)
		}
	}
	if !c.match(x, y, key, visit) {
		return false
	}
	for len(queue) > 0 {
		ref := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if !c.step() {
			return false
		}
		if c.untouched(ref.Num) {
			c.references(c.a.Object(ref), "", visit)
		} else if !c.sameObject(ref, visit) {
			return false
		}
	}
	return true
}

// isNew reports whether the signed revision has no object of this number.
func (c *comparer) isNew(num uint32) bool { return c.a.Place(num) == xref.Place{} }
