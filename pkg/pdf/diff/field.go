package diff

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// field compares a field of both revisions, or a widget of one.
func (c *comparer) field(was, now *field) {
	before, ok1 := entries(was.dict)
	after, ok2 := entries(now.dict)
	if !ok1 || !ok2 || now.dict.IsStream() || was.dict.IsStream() || was.name != now.name || was.kind != now.kind {
		c.add(Never, "form field %q was changed", was.name)
		return
	}
	s := fieldChange{comparer: c, was: was, now: now}
	s.filled = c.isFilled(was, now)
	s.signed = was.kind == "Sig" && c.a.Resolve(was.value).IsNull() && !c.b.Resolve(now.value).IsNull()
	for _, key := range keys(before, after) {
		s.compare(key, before[key], after[key])
	}
	c.fieldList(was.kids, now.kids, was)
}

// isFilled reports whether a field or one above it has another value.
func (c *comparer) isFilled(was, now *field) bool {
	for was != nil && now != nil {
		if !c.sameBelow(was.dict.Key("V"), now.dict.Key("V"), "V") {
			return true
		}
		was, now = was.parent, now.parent
	}
	return false
}

// fieldChange compares the entries of a field.
type fieldChange struct {
	*comparer
	was, now       *field
	filled, signed bool
}

func (s *fieldChange) compare(key string, x, y xref.Value) {
	switch key {
	case "Kids":
	case "V", "RV", "I", "TI":
		s.value(key, x, y)
	case "AP", "AS", "DA", "Q", "DS", "M":
		s.appearance(key, x, y)
	case "Ff":
		s.flags(x, y, flagReadOnly, key)
	case "F":
		s.flags(x, y, protective, key)
	case "Lock":
		if !s.signed || !x.IsNull() {
			s.same(key, x, y)
		}
	case "P":
		if ref, ok := y.Ref(); !x.IsNull() || !ok || s.roles[ref.Num] != pageRole {
			s.same(key, x, y)
		}
	case "StructParent":
		if _, ok := s.b.Resolve(y).Int(); !x.IsNull() || !ok {
			s.same(key, x, y)
		}
	case "Type":
		if !x.IsNull() || !s.b.Resolve(y).Is("Annot") {
			s.same(key, x, y)
		}
	default:
		s.same(key, x, y)
	}
}

func (s *fieldChange) same(key string, x, y xref.Value) {
	s.mustMatch(x, y, key, "form field \""+s.was.name+"\" ("+key+")")
}

// value compares what a field holds.
func (s *fieldChange) value(key string, x, y xref.Value) {
	if s.sameBelow(x, y, key) {
		return
	}
	name := s.was.name
	switch {
	case s.was.kind == "Sig" && key == "V" && s.signed:
		s.comparer.signed(s.now, name)
	case s.was.kind == "Sig":
		s.add(Never, "the signature in field %q was replaced or removed", name)
	case s.was.kind == "Btn" && s.was.flags&flagPushbutton != 0:
		s.add(Never, "button %q was changed", name)
	case s.was.flags&flagReadOnly != 0 && !s.isCalculated(s.was):
		s.addUncertified(name, "", "form field %q, which is not to be filled in, was filled in", name)
	case s.was.kind == "Tx" || s.was.kind == "Ch" || s.was.kind == "Btn":
		if v := s.b.Resolve(y); v.IsStream() && key != "RV" && s.was.kind != "Tx" {
			s.add(Never, "form field %q was changed", name)
			return
		}
		s.addField(Filling, name, "form field %q was filled in", name)
	default:
		s.add(Never, "form field %q was changed", name)
	}
}

// isCalculated reports whether the form computes a field from others.
func (c *comparer) isCalculated(f *field) bool {
	for e := range c.a.Get(c.a.Get(c.a.Root, "AcroForm"), "CO").Parts() {
		if ref, ok := e.Ref(); ok && ref.Num == f.ref.Num {
			return true
		}
	}
	return false
}

// appearance compares how a field looks. It may change with the field's value.
func (s *fieldChange) appearance(key string, x, y xref.Value) {
	if s.sameBelow(x, y, key) {
		return
	}
	name := s.was.name
	switch {
	case s.was.kind == "Sig" && !s.signed, s.was.kind != "Sig" && !s.filled:
		s.add(Never, "form field %q was given another look (%s)", name, key)
	case key == "AP" && !s.isAppearance(y):
		s.add(Never, "form field %q was given a look that is none", name)
	default:
		if ref, ok := x.Ref(); ok && key == "AP" {
			s.detached[ref.Num] = name
		}
		s.addField(Filling, name, "form field %q was filled in", name)
	}
}

// isAppearance reports whether v is an appearance dictionary (ISO 32000-2, 12.5.5).
func (c *comparer) isAppearance(v xref.Value) bool {
	v = c.b.Resolve(v)
	if v.IsNull() {
		return true
	}
	all, ok := entries(v)
	return ok && v.Kind() == object.Dict && !v.IsStream() && all["A"].IsNull() && all["AA"].IsNull()
}

// flags compares flags to which some bits may be added.
func (s *fieldChange) flags(x, y xref.Value, free int64, key string) {
	before, _ := s.a.Resolve(x).Int()
	after, _ := s.b.Resolve(y).Int()
	switch {
	case before == after:
	case before&^after == 0 && after&^before&^free == 0:
		s.add(Validation, "form field %q was protected", s.was.name)
	default:
		s.add(Never, "form field %q (%s) was changed", s.was.name, key)
	}
}
