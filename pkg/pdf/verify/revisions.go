package verify

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/acroform"
	"github.com/vecctl/vecctl/pkg/pdf/diff"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// document is a file with the signatures that are found in it.
type document struct {
	r          io.ReaderAt
	size       int64
	f          *xref.File
	options    Options
	signatures []*candidate
	opened     []*xref.File
	revision   map[int64]*xref.File // by length; nil where it is no document
	store      store
}

// close gives back what was opened.
func (d *document) close() {
	for _, f := range d.opened {
		f.Close()
	}
}

// collect notes the signatures of a version of the document.
func (d *document) collect(f *xref.File) {
	for s := range acroform.Signatures(f) {
		known := slices.ContainsFunc(d.signatures, func(c *candidate) bool { return c.sig.Pos == s.Signature.Pos })
		if f != d.f && (known || s.Signature.Pos < 0) {
			continue
		}
		d.signatures = append(d.signatures, &candidate{f: f, r: d.r, options: d.options, sig: s.Signature, field: s.Field, result: Signature{Field: s.Name}})
		if len(d.signatures) > maxSignatures {
			return
		}
	}
}

// collectRemoved notes the signatures that the document had when it was n bytes long, and
// that it has no more.
func (d *document) collectRemoved(n int64) error {
	f, err := d.open(n)
	if err != nil || f == nil || f.Repaired {
		return err
	}
	d.collect(f)
	return nil
}

// judge judges all signatures and the file with them.
func (d *document) judge() (Verdict, error) {
	for _, c := range d.signatures {
		c.locate()
	}
	slices.SortStableFunc(d.signatures, func(a, b *candidate) int { return int(min(max(a.result.end-b.result.end, -1), 1)) })
	d.checkTwice()
	for _, c := range d.signatures {
		if err := d.goBack(c); err != nil {
			return Verdict{}, err
		}
		if err := c.verify(); err != nil {
			return Verdict{}, err
		}
	}
	d.combine()
	if err := d.compare(); err != nil {
		return Verdict{}, err
	}
	d.readStore()
	for _, c := range d.signatures {
		d.checkCertificate(c)
	}
	d.setLevels()
	return d.verdict(), nil
}

// checkTwice finds fields that share a signature.
func (d *document) checkTwice() {
	for i, c := range d.signatures {
		for _, other := range d.signatures[:i] {
			if c.sig.Pos == other.sig.Pos && c.sig.Pos >= 0 {
				c.result.failWith(errTwice)
			}
		}
	}
}

// open gives the document as it was when it was n bytes long; nil where that is none.
func (d *document) open(n int64) (*xref.File, error) {
	if f, ok := d.revision[n]; ok {
		return f, nil
	}
	f, err := xref.Open(io.NewSectionReader(d.r, 0, n), n)
	if _, refused := errors.AsType[*reject.Rejection](err); refused {
		d.revision[n] = nil
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read a version of the file: %w", err)
	}
	d.opened = append(d.opened, f)
	d.revision[n] = f
	return f, nil
}

// goBack reads the signature again in the document as it was signed: what it refers to
// may be other objects now.
func (d *document) goBack(c *candidate) error {
	if !c.ranged {
		return nil
	}
	f, err := d.open(c.byteRange.end)
	if err != nil {
		return err
	}
	if f == nil {
		c.result.fail(BadRange, "what the signature covers is no document")
		return nil
	}
	for s := range acroform.Signatures(f) {
		if s.Signature.Pos == c.sig.Pos {
			c.f, c.sig, c.field, c.result.Field = f, s.Signature, s.Field, s.Name
			c.permission = readPermission(f, c.sig, c.field)
			return nil
		}
	}
	c.result.failWith(errOutside)
	return nil
}

// compare finds out what was changed after each signature, and whether it allows that.
func (d *document) compare() error {
	var ends []int64
	for _, c := range d.signatures {
		if c.ranged && !slices.Contains(ends, c.byteRange.end) {
			ends = append(ends, c.byteRange.end)
		}
	}
	if len(ends) == 0 {
		return nil
	}
	if ends[len(ends)-1] != d.size {
		ends = append(ends, d.size)
	}
	for i := range len(ends) - 1 {
		from, err := d.open(ends[i])
		if err != nil {
			return err
		}
		to, err := d.open(ends[i+1])
		if err != nil {
			return err
		}
		var changes []diff.Change
		var failure error
		if from != nil && to != nil {
			changes, failure = diff.Compare(from, to)
		}
		for _, c := range d.signatures {
			if c.ranged && c.byteRange.end <= ends[i] {
				d.apply(c, changes, failure, ends[i+1]-ends[i])
			}
		}
	}
	return nil
}

// apply notes what was changed in one step after the signature, by added bytes.
func (d *document) apply(c *candidate, changes []diff.Change, failure error, added int64) {
	s := &c.result
	if failure != nil {
		s.fail(NotComparable, "what was changed since cannot be told: "+failure.Error())
		return
	}
	for _, ch := range changes {
		allowed := c.permission.allows(ch, ch.Signer != "" && d.isSigner(c, ch.Signer))
		s.Changes = append(s.Changes, Change{What: ch.What, Allowed: allowed})
		switch {
		case allowed:
		case ch.Unsound:
			s.fail(Added, fmt.Sprintf("%s after this signature: %s", bytesAdded(added), ch.What))
		default:
			s.fail(BeyondPermission, ch.What+", which this signature does not allow")
		}
	}
}

// isSigner reports whether the signature in a field is by the signer of c.
func (d *document) isSigner(c *candidate, field string) bool {
	return slices.ContainsFunc(d.signatures, func(o *candidate) bool {
		return o.result.Field == field && o.result.Intact && c.result.Intact && o.result.Fingerprint == c.result.Fingerprint
	})
}

func bytesAdded(n int64) string {
	if n == 1 {
		return "a byte was added to the file"
	}
	return fmt.Sprintf("%d bytes were added to the file", n)
}
