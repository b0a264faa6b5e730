package page

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const maxLayers = 2_000 // looked at in a list

// HiddenLayers are the optional content groups that are switched off (ISO 32000-1, 8.11).
type HiddenLayers struct {
	off  map[object.Ref]bool
	on   map[object.Ref]bool
	base bool // all others are off
}

// ReadHiddenLayers reads which layers a document opens without.
func ReadHiddenLayers(f *xref.File) HiddenLayers {
	d := f.Get(f.Get(f.Root, "OCProperties"), "D")
	if d.IsNull() {
		return HiddenLayers{}
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
	return HiddenLayers{off: read("OFF"), on: read("ON"), base: f.Get(d, "BaseState").Is("OFF")}
}

// hides reports whether what belongs to a group, or to a membership of groups, is not seen.
func (l HiddenLayers) hides(f *xref.File, entry xref.Value) bool {
	if len(l.off) == 0 && !l.base || entry.IsNull() {
		return false
	}
	v := f.Resolve(entry)
	if !f.Get(v, "Type").Is("OCMD") {
		ref, _ := entry.Ref()
		return l.IsOff(ref)
	}
	groups, policy := f.Get(v, "OCGs"), f.Get(v, "P")
	var on, off int
	count := func(e xref.Value) {
		if ref, ok := e.Ref(); ok && l.IsOff(ref) {
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

// IsOff reports whether the document opens without a layer.
func (l HiddenLayers) IsOff(ref object.Ref) bool {
	return l.off[ref] || l.base && !l.on[ref]
}
