package diff

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// ownTrailer are the entries of a trailer that belong to one section only.
var ownTrailer = map[string]bool{"Size": true, "Prev": true, "XRefStm": true, "Type": true, "W": true, "Index": true, "Length": true,
	"Filter": true, "DecodeParms": true, "DL": true, "DocChecksum": true}

// trailer compares what the trailers say of the document.
func (c *comparer) trailer() {
	before, ok1 := entries(c.a.Trailer)
	after, ok2 := entries(c.b.Trailer)
	if !ok1 || !ok2 {
		c.add(Never, "the trailer has an entry twice")
		return
	}
	for _, key := range keys(before, after) {
		x, y := before[key], after[key]
		switch {
		case ownTrailer[key]:
		case key == "Root":
			// Some programs write the catalog as a new object. What it holds is compared all the same.
			if !sameRef(x, y) {
				c.add(Validation, "the catalog became another object")
			}
		case key == "ID":
			c.fileID(x, y)
		case key == "Info":
			c.info(x, y)
		case key == "AdditionalStreams":
			c.additionalStreams(x, y)
		case y.Object == nil && key != "Encrypt":
			// An entry that is not repeated counts no more; what it led to is compared all the same.
			c.references(x, key, func(ref object.Ref, key string) { c.follow(ref, key, "the trailer's "+key) })
		default:
			c.mustMatch(x, y, key, "the trailer's "+key)
		}
	}
}

// additionalStreams compares what LibreOffice keeps of a document besides. It often leads to
// objects that are not there, whose numbers others then use.
func (c *comparer) additionalStreams(x, y xref.Value) {
	ok := true
	visit := func(ref object.Ref, _ string) {
		v := c.b.Object(ref)
		data, err := c.b.Inflate(v, maxMetadata)
		ok = ok && (!v.IsStream() || c.untouched(ref.Num) || c.isNew(ref.Num) && err == nil && !bytes.HasPrefix(data, []byte("PK")))
	}
	c.references(x, "", visit)
	c.references(y, "", visit)
	if !ok {
		c.add(Never, "the document in another format that comes with this one was changed")
	}
}

// keys are those of both dictionaries, in order.
func keys(before, after map[string]xref.Value) []string {
	var out []string
	for k := range before {
		out = append(out, k)
	}
	for k := range after {
		if _, was := before[k]; !was {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// fileID compares the file identifiers: the first part never changes.
func (c *comparer) fileID(x, y xref.Value) {
	first := func(f *xref.File, v xref.Value) []byte {
		for e := range f.Elems(f.Resolve(v)) {
			return e.Bytes()
		}
		return nil
	}
	if before := first(c.a, x); before != nil && y.Object != nil && !bytes.Equal(before, first(c.b, y)) && c.a.Crypt != nil {
		c.add(Never, "the file identifier was changed")
	}
}

// freeInfo are entries of the information dictionary that every program may change.
var freeInfo = map[string]bool{"ModDate": true, "Producer": true}

// addedInfo are entries that may be added to it.
var addedInfo = map[string]bool{"CreationDate": true, "Creator": true}

func (c *comparer) info(x, y xref.Value) {
	before, ok1 := entries(c.a.Resolve(x))
	after, ok2 := entries(c.b.Resolve(y))
	if !ok1 || !ok2 {
		c.add(Never, "the document's information has an entry twice")
	}
	changed := false
	for _, key := range keys(before, after) {
		v, w := before[key], after[key]
		if c.sameBelow(v, w, key) {
			continue
		}
		if !freeInfo[key] && !(addedInfo[key] && v.IsNull()) && !w.IsNull() {
			c.add(Never, "the document's information (%s) was changed", key)
		}
		changed = true
	}
	if changed {
		c.add(Validation, "the document's information was updated")
	}
}

// catalog compares the document catalogs, each entry as what it is.
func (c *comparer) catalog() {
	before, ok1 := entries(c.a.Root)
	after, ok2 := entries(c.b.Root)
	if !ok1 || !ok2 {
		c.add(Never, "the catalog has an entry twice")
		return
	}
	c.compareForms(before["AcroForm"], after["AcroForm"])
	c.comparePages()
	for _, key := range keys(before, after) {
		x, y := before[key], after[key]
		switch key {
		case "AcroForm", "Pages":
		case "Version":
			c.version(x, y)
		case "Extensions":
			c.extensions(x, y)
		case "Perms":
			c.perms(x, y)
		case "DSS":
			c.validationData(x, y)
		case "Metadata":
			c.metadata(x, y)
		case "MarkInfo":
			c.markInfo(x, y)
		case "StructTreeRoot":
			c.structure(x, y)
		case "Names":
			c.names(x, y)
		default:
			c.mustMatch(x, y, key, catalogWord(key))
		}
	}
}

// catalogWord says what an entry of the catalog is to a reader.
func catalogWord(key string) string {
	words := map[string]string{
		"Outlines": "the list of bookmarks", "OpenAction": "what happens on opening the document", "AA": "what the document does by itself",
		"Names": "the list of names, scripts and attachments", "Dests": "the list of destinations", "OCProperties": "the list of layers",
		"PageLabels": "the numbering of pages", "ViewerPreferences": "how viewers show the document", "AF": "the list of attachments",
	}
	if w := words[key]; w != "" {
		return w
	}
	return "the catalog's " + key
}

// version compares the catalog's Version, which may only rise.
func (c *comparer) version(x, y xref.Value) {
	if c.sameBelow(x, y, "Version") {
		return
	}
	number := func(f *xref.File, v xref.Value) float64 {
		n, err := strconv.ParseFloat(f.Resolve(v).Text(), 64)
		if err != nil {
			return 0
		}
		return n
	}
	if from, to := number(c.a, x), number(c.b, y); to < from || to < 1 || to > 2.9 {
		c.add(Never, "the version of the document was changed")
		return
	}
	c.add(Validation, "the version of the document was raised")
}

// extensions compares the developer extensions dictionaries: plain values, which
// tell programs and nobody else which features are used.
func (c *comparer) extensions(x, y xref.Value) {
	if c.sameBelow(x, y, "Extensions") {
		return
	}
	if !c.isPlain(c.b.Resolve(y), 0) {
		c.add(Never, "the catalog's Extensions was changed")
		return
	}
	c.add(Validation, "the document's extensions were updated")
}

// isPlain reports whether a dictionary of the later revision holds names, numbers, strings
// and such dictionaries alone.
func (c *comparer) isPlain(v xref.Value, depth int) bool {
	if v.Kind() != object.Dict || v.IsStream() || depth > 3 {
		return v.IsNull()
	}
	all, ok := entries(v)
	for _, e := range all {
		switch e = c.b.Resolve(e); e.Kind() {
		case object.Name, object.Number, object.String, object.Bool, object.Null:
		case object.Dict:
			ok = ok && c.isPlain(e, depth+1)
		case object.Array:
			for part := range c.b.Elems(e) {
				ok = ok && (part.Kind() == object.Name || c.isPlain(part, depth+1))
			}
		default:
			return false
		}
	}
	return ok
}

// names compares the name dictionaries. Named appearances serve programs that draw
// annotations, and nothing is drawn by them.
func (c *comparer) names(x, y xref.Value) {
	before, ok1 := entries(c.a.Resolve(x))
	after, ok2 := entries(c.b.Resolve(y))
	if !ok1 || !ok2 || !x.IsNull() && !sameRef(x, y) || c.b.Resolve(y).IsStream() {
		c.mustMatch(x, y, "Names", catalogWord("Names"))
		return
	}
	for _, key := range keys(before, after) {
		if key == "AP" && !c.sameBelow(before[key], after[key], key) {
			c.add(Annotating, "the list of looks for annotations was changed")
		} else if key != "AP" {
			c.mustMatch(before[key], after[key], key, catalogWord("Names"))
		}
	}
}

// markInfo compares what the catalog says about the document being tagged: it is for
// programs that read aloud, and some write it when they sign.
func (c *comparer) markInfo(x, y xref.Value) {
	switch {
	case c.sameBelow(x, y, "MarkInfo"):
	case x.IsNull() && c.isPlain(c.b.Resolve(y), 0):
		c.add(Validation, "the document's marking was updated")
	default:
		c.add(Never, "the catalog's MarkInfo was changed")
	}
}

// perms compares the permissions dictionaries. A certification may come when its field
// is signed, and usage rights, which this makes void, may go.
func (c *comparer) perms(x, y xref.Value) {
	before, ok1 := entries(c.a.Resolve(x))
	after, ok2 := entries(c.b.Resolve(y))
	if !ok1 || !ok2 {
		c.add(Never, "the catalog's Perms has an entry twice")
	}
	for _, key := range keys(before, after) {
		v, w := before[key], after[key]
		switch ref, _ := w.Ref(); {
		case (key == "UR" || key == "UR3") && w.IsNull():
			c.add(Validation, "usage rights were removed")
			c.references(v, key, func(ref object.Ref, key string) { c.follow(ref, key, "the signature of usage rights") })
		case key == "DocMDP" && v.IsNull() && c.isNewSignature(ref):
			c.add(Filling, "the document was certified")
		default:
			c.mustMatch(v, w, key, "the permission that certifies the document")
		}
	}
}
