package verify

import (
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/acroform"
	"github.com/vecctl/vecctl/pkg/pdf/diff"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// permission is what a signature allows to change after it.
type permission struct {
	certifies int // its DocMDP level; 0: it certifies nothing
	lockLevel int // the level that its field's lock states; 0: none
	locks     []fieldLock
	level     int // what is in force after it, with what the signatures before it allow
}

// fieldLock names fields whose values are locked (ISO 32000-2, 12.8.2.4).
type fieldLock struct {
	except bool // all fields but these
	fields []string
}

// readPermission reads what a signature allows: by its transform methods and by its
// field's lock.
func readPermission(f *xref.File, sig, field xref.Value) permission {
	p := permission{certifies: acroform.DocMDPLevel(f, sig)}
	for ref := range f.Elems(f.Get(sig, "Reference")) {
		if f.Get(ref, "TransformMethod").Is("FieldMDP") {
			p.locks = append(p.locks, readLock(f, f.Get(ref, "TransformParams")))
		}
	}
	lock := f.Get(field, "Lock")
	if lock.Kind() != object.Dict {
		return p
	}
	p.locks = append(p.locks, readLock(f, lock))
	if n, ok := f.Get(lock, "P").Int(); ok && n >= diff.Validation && n <= diff.Annotating {
		p.lockLevel = int(n)
	}
	return p
}

// readLock reads an action and its fields. What says neither locks all of them.
func readLock(f *xref.File, v xref.Value) fieldLock {
	var names []string
	for e := range f.Elems(f.Get(v, "Fields")) {
		names = append(names, object.FromText(f.String(e)))
	}
	switch action := f.Get(v, "Action"); {
	case action.Is("Include"):
		return fieldLock{fields: names}
	case action.Is("Exclude"):
		return fieldLock{except: true, fields: names}
	}
	return fieldLock{except: true}
}

// locks reports whether a field's value is locked. A name stands for all fields below it.
func (l fieldLock) locks(name string) bool {
	for _, field := range l.fields {
		if name == field || strings.HasPrefix(name, field+".") {
			return !l.except
		}
	}
	return l.except
}

// allows reports whether the signature allows a change. own is true for one by the same
// signer.
func (p permission) allows(ch diff.Change, own bool) bool {
	if ch.Level > p.level || ch.Uncertified && p.certifies > 0 && !own {
		return false
	}
	if ch.Field == "" {
		return true
	}
	for _, l := range p.locks {
		if l.locks(ch.Field) {
			return false
		}
	}
	return true
}

// combine finds out what is in force after each signature. A signature that only approves
// leaves in force what those before it allow.
func (d *document) combine() {
	level, certified, approved := 0, false, false
	for _, c := range d.signatures {
		p, s := &c.permission, &c.result
		s.Certifies = p.certifies
		if c.result.IsTimestamp {
			p.certifies, p.lockLevel = 0, 0
		}
		switch {
		case p.certifies > 0 && certified:
			s.fail(BeyondPermission, "the document is certified a second time, which the first certification does not allow")
		case p.certifies > 0 && approved:
			s.fail(Contradiction, "the document is certified after it was signed, and a certification must come first")
		}
		if p.certifies > 0 && !certified {
			certified, level = true, p.certifies
		}
		if p.lockLevel > 0 && level > 0 && p.lockLevel > level {
			s.fail(Contradiction, "the signature allows what a signature before it forbids")
		}
		if p.lockLevel > 0 && (level == 0 || p.lockLevel < level) {
			level = p.lockLevel
		}
		if p.level = level; level == 0 {
			p.level = diff.Filling
		}
		approved = approved || !c.result.IsTimestamp
	}
}
