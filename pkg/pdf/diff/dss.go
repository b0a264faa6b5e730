package diff

import (
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// validationData compares the document security stores (ISO 32000-2, 12.8.4.3). What
// one holds proves itself, so that it may change as it likes as long as it is
// nothing else than that.
func (c *comparer) validationData(x, y xref.Value) {
	if c.sameBelow(x, y, "DSS") {
		return
	}
	if !c.isSecurityStore(c.b.Resolve(y)) {
		c.add(Never, "the store of validation data was removed, or is none")
		return
	}
	c.add(Validation, "validation data were added")
}

func (c *comparer) isSecurityStore(v xref.Value) bool {
	all, ok := entries(v)
	if !ok || v.Kind() != object.Dict || v.IsStream() {
		return false
	}
	for key, e := range all {
		switch key {
		case "Type":
			ok = ok && c.isWord(e)
		case "Certs", "CRLs", "OCSPs":
			ok = ok && c.isStreams(e)
		case "VRI":
			ok = ok && c.isVRI(c.b.Resolve(e))
		default:
			return false
		}
	}
	return ok
}

// isVRI reports whether v is what a security store keeps for single signatures.
func (c *comparer) isVRI(v xref.Value) bool {
	all, ok := entries(v)
	if !ok || v.Kind() != object.Dict || v.IsStream() {
		return false
	}
	for key, e := range all {
		if key == "Type" && c.isWord(e) {
			continue
		}
		own := c.b.Resolve(e)
		for key, part := range own.Pairs() {
			p := own.Part(part)
			switch key.Text() {
			case "Type":
				ok = ok && c.isWord(p)
			case "Cert", "CRL", "OCSP":
				ok = ok && c.isStreams(p)
			case "TU":
				ok = ok && c.b.Resolve(p).Kind() == object.String
			case "TS":
				ok = ok && c.b.Resolve(p).IsStream()
			default:
				return false
			}
		}
		ok = ok && own.Kind() == object.Dict && !own.IsStream()
	}
	return ok
}

// isWord reports whether v is a name, or a string, as some programs write it.
func (c *comparer) isWord(v xref.Value) bool {
	k := c.b.Resolve(v).Kind()
	return k == object.Name || k == object.String
}

// isStreams reports whether v is an array of streams that say nothing but their data:
// none of them can be drawn.
func (c *comparer) isStreams(v xref.Value) bool {
	array := c.b.Resolve(v)
	if array.Kind() != object.Array {
		return false
	}
	for e := range c.b.Elems(array) {
		if !e.IsStream() || e.Get("Subtype") != nil || e.Get("Type") != nil || !c.step() {
			return false
		}
	}
	return true
}
