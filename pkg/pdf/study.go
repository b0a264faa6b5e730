package pdf

import (
	"bytes"
	"errors"

	"github.com/vecctl/vecctl/pkg/pdf/field"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/refusal"
	"github.com/vecctl/vecctl/pkg/pdf/syntax"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const maxMetadata = 1 << 20

// study is what an update must know of a document.
type study struct {
	f        *xref.File
	page     *page.Page
	content  page.Content
	form     xref.Value // the AcroForm dictionary; null where there is none
	signed   bool       // a field carries a signature
	archival bool       // it calls itself PDF/A
	redrawn  bool       // its form asks viewers to draw its fields anew
}

// examine finds out whether and how a document can be continued. Where the
// cross-reference misleads, it looks again with a rebuilt one.
func examine(f *xref.File, number int, mayOverride bool) (*study, error) {
	s, err := examineOnce(f, number, mayOverride)
	r, ok := errors.AsType[*Refusal](err)
	if !ok || (r.Reason != refusal.NoPages && r.Reason != refusal.Damaged) {
		return s, err
	}
	if f.Flaw != nil {
		return nil, f.Flaw // the parts are there, and a bound forbids to read them
	}
	if f.Repaired || f.Rebuild() != nil {
		return nil, err
	}
	if s, again := examineOnce(f, number, mayOverride); again == nil {
		return s, nil
	}
	if f.Flaw != nil {
		return nil, f.Flaw
	}
	return nil, err
}

func examineOnce(f *xref.File, number int, mayOverride bool) (*study, error) {
	s := &study{f: f}
	if f.Crypt != nil && !f.Crypt.MayModify() && !mayOverride {
		return nil, refusal.New(refusal.NotPermitted, "The document's author does not permit changes to it")
	}
	if s.form = f.Get(f.Root, "AcroForm"); s.dynamic() {
		return nil, refusal.New(refusal.XFAOnly, "The document is a dynamic XFA form, whose pages exist only in Adobe's viewer")
	}
	if err := s.findSignatures(); err != nil {
		return nil, err
	}
	var err error
	if s.page, err = page.Find(f, number); err != nil {
		return nil, err
	}
	if s.content, err = page.ReadContent(f, s.page); err != nil {
		return nil, err
	}
	s.archival, s.redrawn = archival(f), field.Redrawn(f)
	return s, nil
}

// dynamic tells whether the pages are made by an XFA form when it is opened:
// it says so, or it has no fields of the ordinary kind.
func (s *study) dynamic() bool {
	if string(s.f.Get(s.f.Root, "NeedsRendering").Object) == "true" {
		return true
	}
	if s.f.Get(s.form, "XFA").IsNull() {
		return false
	}
	for range s.f.Elems(s.f.Get(s.form, "Fields")) {
		return false
	}
	return true
}

// findSignatures looks for signatures and what they forbid.
func (s *study) findSignatures() error {
	f := s.f
	if sig := f.Get(f.Get(f.Root, "Perms"), "DocMDP"); sig.Kind() == syntax.Dict {
		s.signed = true
		if field.Level(f, sig) == 1 {
			return refusal.New(refusal.ChangesForbidden, "The document is certified by its author's signature, which forbids any change")
		}
	}
	for signed := range field.Signatures(f) {
		s.signed = true
		if p, ok := f.Get(f.Get(signed.Field, "Lock"), "P").Int(); ok && p == 1 {
			return refusal.New(refusal.ChangesForbidden, "A signature in the document locks it against any change")
		}
	}
	return nil
}

// archival tells whether the document's metadata call it PDF/A.
func archival(f *xref.File) bool {
	v := f.Get(f.Root, "Metadata")
	if !v.IsStream() || f.StreamSize(v) > maxMetadata {
		return false
	}
	xmp, _ := f.Inflate(v, maxMetadata)
	return bytes.Contains(xmp, []byte("http://www.aiim.org/pdfa/ns/id/"))
}
