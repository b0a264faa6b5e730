package diff

import (
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxFields     = 20_000
	maxFieldDepth = 32

	flagReadOnly   = 1       // ISO 32000-2, table 227
	flagPushbutton = 1 << 16 // table 229

	// Annotation flags (table 167) that protect an annotation or let it be printed.
	protective = 1<<2 | 1<<6 | 1<<7 | 1<<9
)

// field is a form field, or a widget that is the kid of one.
type field struct {
	ref    object.Ref
	dict   xref.Value
	name   string // fully qualified; that of its field for a widget
	named  bool   // it has a name of its own, and is more than a widget
	kind   string // FT, inherited
	flags  int64  // Ff, inherited
	value  xref.Value
	parent *field
	kids   []object.Ref
}

// form is the fields of a document by object number.
type form struct {
	fields map[uint32]*field
	names  map[string]bool
	top    []object.Ref
	loose  []xref.Value // what is listed as a field and is not gone through: it may not change
}

// readForm reads the form of a document.
func readForm(f *xref.File) *form {
	m := &form{fields: map[uint32]*field{}, names: map[string]bool{}}
	m.top = m.list(f, f.Get(f.Get(f.Root, "AcroForm"), "Fields"), nil, 0)
	return m
}

func (m *form) list(f *xref.File, list xref.Value, parent *field, depth int) []object.Ref {
	var refs []object.Ref
	for e := range list.Parts() {
		ref, ok := e.Ref()
		v := f.Resolve(e)
		switch {
		case v.IsNull():
			continue
		case !ok || v.Kind() != object.Dict || depth > maxFieldDepth || len(m.fields) >= maxFields || m.fields[ref.Num] != nil:
			m.loose = append(m.loose, e)
			continue
		}
		refs = append(refs, ref)
		m.field(f, ref, v, parent, depth)
	}
	return refs
}

func (m *form) field(f *xref.File, ref object.Ref, v xref.Value, parent *field, depth int) {
	x := &field{ref: ref, dict: v, parent: parent}
	if parent != nil {
		x.name, x.kind, x.flags, x.value = parent.name, parent.kind, parent.flags, parent.value
	}
	if t := f.Get(v, "T"); t.Kind() == object.String {
		x.named = true
		if x.name != "" {
			x.name += "."
		}
		x.name += object.FromText(f.String(t))
	}
	if ft := f.Get(v, "FT"); ft.Kind() == object.Name {
		x.kind = ft.Text()
	}
	if n, ok := f.Get(v, "Ff").Int(); ok {
		x.flags = n
	}
	if e := v.Key("V"); !f.Resolve(e).IsNull() {
		x.value = e
	}
	m.fields[ref.Num] = x
	if x.named {
		m.names[x.name] = true
	}
	if kids := f.Get(v, "Kids"); kids.Kind() == object.Array {
		x.kids = m.list(f, kids, x, depth+1)
	}
}

// isNewSignature reports whether an object is the value of a signature field that had none
// in the signed revision.
func (c *comparer) isNewSignature(ref object.Ref) bool {
	if ref.Num == 0 || !c.isNew(ref.Num) {
		return false
	}
	for _, f := range c.formB.fields {
		if v, ok := f.dict.Get("V").Ref(); ok && v.Num == ref.Num && f.kind == "Sig" {
			return true
		}
	}
	return false
}

// compareForms compares the interactive forms (ISO 32000-2, 12.7).
func (c *comparer) compareForms(x, y xref.Value) {
	before, ok1 := entries(c.a.Resolve(x))
	after, ok2 := entries(c.b.Resolve(y))
	if !ok1 || !ok2 {
		c.add(Never, "the form has an entry twice")
	}
	for _, key := range keys(before, after) {
		v, w := before[key], after[key]
		switch key {
		case "Fields":
		case "SigFlags":
			c.signatureFlags(v, w)
		case "DR":
			c.formResources(v, w)
		case "DA":
			if !v.IsNull() {
				c.mustMatch(v, w, key, "the form's DA")
			}
		case "NeedAppearances":
			c.needAppearances(v, w)
		default:
			c.mustMatch(v, w, key, "the form's "+key)
		}
	}
	c.looseFields()
	c.fieldList(c.formA.top, c.formB.top, nil)
	for num, f := range c.formA.fields {
		if now := c.formB.fields[num]; now != nil {
			c.field(f, now)
		}
	}
}

// looseFields compares what is listed as a field and is none, or one too many.
func (c *comparer) looseFields() {
	if len(c.formA.loose) != len(c.formB.loose) {
		c.add(Never, "the list of form fields was changed")
		return
	}
	for i, e := range c.formA.loose {
		c.mustMatch(e, c.formB.loose[i], "", "a form field that is not made as it must be")
	}
}

// signatureFlags compares SigFlags: that there are signatures may be added.
func (c *comparer) signatureFlags(x, y xref.Value) {
	before, _ := c.a.Resolve(x).Int()
	after, ok := c.b.Resolve(y).Int()
	switch {
	case c.sameBelow(x, y, "SigFlags"):
	case ok && before&^after == 0 && after&^3 == 0:
		c.add(Validation, "the form says that it has signatures")
	default:
		c.add(Never, "the form's SigFlags was changed")
	}
}

// needAppearances compares what the form asks of viewers: to draw its fields anew. It may
// ask that no more, but not begin to, since what is drawn can differ from what was
// seen when it was signed.
func (c *comparer) needAppearances(x, y xref.Value) {
	isTrue := func(f *xref.File, v xref.Value) bool { return string(f.Resolve(v).Object) == "true" }
	switch before, after := isTrue(c.a, x), isTrue(c.b, y); {
	case before == after:
	case before:
		c.add(Filling, "the form's fields are shown as they were drawn")
	default:
		c.add(Never, "the form asks viewers to draw its fields anew")
	}
}

// formResources compares the resources of a form: they may be added to.
func (c *comparer) formResources(x, y xref.Value) {
	if c.sameBelow(x, y, "DR") {
		return
	}
	before, ok1 := entries(c.a.Resolve(x))
	after, ok2 := entries(c.b.Resolve(y))
	if !ok1 || !ok2 {
		c.add(Never, "the form's resources have an entry twice")
	}
	for category, v := range before {
		w := after[category]
		if category == "XObject" {
			// No field is drawn with them. Some programs keep their signature's look here.
			c.references(v, category, func(ref object.Ref, key string) { c.follow(ref, key, "the form's resources") })
			continue
		}
		old, ok1 := entries(c.a.Resolve(v))
		now, ok2 := entries(c.b.Resolve(w))
		if !ok1 || !ok2 || c.a.Resolve(v).Kind() != object.Dict {
			c.mustMatch(v, w, category, "the form's resources")
			continue
		}
		for name, r := range old {
			c.mustMatch(r, now[name], name, "the form's resources ("+category+")")
		}
	}
	c.addedFonts(before["Font"], after["Font"])
	c.add(Validation, "resources were added to the form")
}

// addedFonts refuses fonts that the form's fields named already when they were not there:
// where viewers draw the fields themselves, these would now be drawn with them.
func (c *comparer) addedFonts(x, y xref.Value) {
	form := c.a.Get(c.a.Root, "AcroForm")
	if string(c.a.Get(form, "NeedAppearances").Object) != "true" {
		return
	}
	before, after := c.a.Resolve(x), c.b.Resolve(y)
	named := func(v xref.Value, font string) bool {
		return slices.Contains(strings.Fields(string(c.a.String(c.a.Get(v, "DA")))), "/"+font)
	}
	for k := range after.Pairs() {
		font := k.Text()
		if before.Get(font) != nil {
			continue
		}
		isUsed := named(form, font)
		for _, f := range c.formA.fields {
			isUsed = isUsed || named(f.dict, font)
		}
		if isUsed {
			c.add(Never, "the form was given a font (%s) that its fields are drawn with", font)
		}
	}
}

// fieldList compares a list of fields: the old ones stay, in their order, and signature
// fields may be added.
func (c *comparer) fieldList(before, after []object.Ref, parent *field) {
	var kept []object.Ref
	for _, ref := range before {
		if slices.Contains(after, ref) {
			kept = append(kept, ref)
		} else if !c.fieldRemoved(ref, parent) {
			c.add(Never, "form field %q was removed", c.formA.fields[ref.Num].name)
		}
	}
	i := 0
	for _, ref := range after {
		switch {
		case i < len(kept) && kept[i] == ref:
			i++
		case slices.Contains(kept, ref):
			c.add(Never, "the form has its fields in another order")
			return
		default:
			c.newField(c.formB.fields[ref.Num], parent)
		}
	}
}

// fieldRemoved notes that a widget was removed from its field; it is false for anything
// that may not be.
func (c *comparer) fieldRemoved(ref object.Ref, parent *field) bool {
	f := c.formA.fields[ref.Num]
	if parent == nil || f.named || f.kind == "Sig" || c.formB.fields[ref.Num] != nil {
		return false
	}
	c.addField(Annotating, f.name, "a widget of form field %q was removed", f.name)
	return true
}

// newField checks a field that was added: one for a signature.
func (c *comparer) newField(f, parent *field) {
	switch {
	case parent != nil:
		c.add(Never, "form field %q was given a new part", parent.name)
	case !c.isSignatureField(f, 0):
		c.add(Never, "form field %q was added", f.name)
	default:
		c.newSignatureField(f)
	}
}

// isSignatureField reports whether an added field is a signature field of a plain kind, or
// holds nothing but such.
func (c *comparer) isSignatureField(f *field, depth int) bool {
	if !c.isNew(f.ref.Num) || f.dict.IsStream() || f.dict.Get("A") != nil || f.dict.Get("AA") != nil ||
		f.named && (c.formA.names[f.name] || f.name == "") {
		return false
	}
	if f.kind != "Sig" && (len(f.kids) == 0 || f.kind != "" || !f.named) {
		return false
	}
	for _, kid := range f.kids {
		if !c.isSignatureField(c.formB.fields[kid.Num], depth+1) {
			return false
		}
	}
	return depth > 0 || f.named
}

func (c *comparer) newSignatureField(f *field) {
	for _, kid := range f.kids {
		if k := c.formB.fields[kid.Num]; k.named {
			c.newSignatureField(k)
		}
	}
	if f.kind != "Sig" {
		return
	}
	if c.b.Resolve(f.dict.Key("V")).IsNull() {
		c.add(Filling, "an empty signature field %q was added", f.name)
		return
	}
	c.signed(f, "")
}

// signed notes a signature that came.
func (c *comparer) signed(f *field, locked string) {
	ref, ok := f.dict.Get("V").Ref()
	v := c.b.Get(f.dict, "V")
	if !ok || !c.isNew(ref.Num) || v.Kind() != object.Dict || v.IsStream() {
		c.add(Never, "signature field %q has a signature that is not new", f.name)
		return
	}
	if (v.Get("Type").Is("DocTimeStamp") || v.Get("SubFilter").Is("ETSI.RFC3161")) && !c.isVisible(f) {
		c.addField(Validation, locked, "a time stamp of the document was added")
		return
	}
	c.addField(Filling, locked, "signature field %q was signed", f.name)
}

// isVisible reports whether a signature field shows something on a page.
func (c *comparer) isVisible(f *field) bool {
	if _, ok := visibleRect(c.b, f.dict); ok {
		return true
	}
	for _, kid := range f.kids {
		if _, ok := visibleRect(c.b, c.b.Object(kid)); ok {
			return true
		}
	}
	return false
}
