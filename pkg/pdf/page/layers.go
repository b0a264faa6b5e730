package page

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const maxLayers = 2_000 // looked at in a list

// layers are the optional content groups that are switched off (ISO 32000-1, 8.11).
type layers struct {
	off  map[object.Ref]bool
	on   map[object.Ref]bool
	base bool // all others are off
}

// hiddenLayers reads which layers a document opens without.
func hiddenLayers(f *xref.File) layers {
	d := f.Get(f.Get(f.Root, "OCProperties"), "D")
	if d.IsNull() {
		return layers{}
	}
	read := func(key string) map[object.Ref]bool {
		set := map[object.Ref]bool{}
		for e := range f.Get(d, key).Parts() {
			if ref, ok := e.Ref(); ok && len(set) < maxLayers {
				set[ref] = true
			}
		}
		return set
	}
	return layers{off: read("OFF"), on: read("ON"), base: f.Get(d, "BaseState").Is("OFF")}
}

// hides reports whether what belongs to a group, or to a membership of groups, is not seen.
func (l layers) hides(f *xref.File, entry xref.Value) bool {
	if len(l.off) == 0 && !l.base || entry.IsNull() {
		return false
	}
	v := f.Resolve(entry)
	if !f.Get(v, "Type").Is("OCMD") {
		ref, _ := entry.Ref()
		return l.isOff(ref)
	}
	groups, policy := f.Get(v, "OCGs"), f.Get(v, "P")
	var on, off int
	count := func(e xref.Value) {
		if ref, ok := e.Ref(); ok && l.isOff(ref) {
			off++
		} else if ok {
			on++
		}
	}
	if groups.Kind() == object.Array {
		for e := range groups.Parts() {
			count(e)
		}
	} else {
		count(v.Key("OCGs"))
	}
	switch {
	case on+off == 0:
		return false
	case policy.Is("AllOn"):
		return off > 0
	case policy.Is("AnyOff"):
		return off == 0
	case policy.Is("AllOff"):
		return on > 0
	}
	return on == 0
}

func (l layers) isOff(ref object.Ref) bool {
	return l.off[ref] || l.base && !l.on[ref]
}
