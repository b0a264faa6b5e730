package pdf

import (
	"bytes"
	"errors"

	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/refusal"
	"github.com/vecctl/vecctl/pkg/pdf/syntax"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxFields   = 20_000 // form fields looked at in search of signatures
	maxMetadata = 1 << 20
)

// study is what an update must know of a document.
type study struct {
	f         *xref.File
	page      *page.Page
	content   page.Content
	form      xref.Value // the AcroForm dictionary; null where there is none
	signed    bool       // a field carries a signature
	certified bool       // an author's signature certifies the document
	archival  bool       // it calls itself PDF/A
}

// examine finds out whether and how a document can be continued. Where the
// cross-reference misleads, it looks again with a rebuilt one.
func examine(f *xref.File, number int, mayOverride bool) (*study, error) {
	s, err := examineOnce(f, number, mayOverride)
	if err == nil || f.Repaired {
		return s, err
	}
	if r, ok := errors.AsType[*Refusal](err); !ok || (r.Reason != refusal.NoPages && r.Reason != refusal.Damaged) {
		return nil, err
	}
	if f.Rebuild() != nil {
		return nil, err
	}
	s, again := examineOnce(f, number, mayOverride)
	if again != nil {
		return nil, err
	}
	return s, nil
}

func examineOnce(f *xref.File, number int, mayOverride bool) (*study, error) {
	s := &study{f: f}
	if f.Crypt != nil && !f.Crypt.MayModify() && !mayOverride {
		return nil, refusal.New(refusal.NotPermitted, "The document's author does not permit changes to it")
	}
	if string(f.Get(f.Root, "NeedsRendering").Object) == "true" {
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
	s.archival = archival(f)
	return s, nil
}

// findSignatures looks for signatures and what they forbid.
func (s *study) findSignatures() error {
	f := s.f
	s.form = f.Get(f.Root, "AcroForm")
	if sig := f.Get(f.Get(f.Root, "Perms"), "DocMDP"); sig.Kind() == syntax.Dict {
		s.signed, s.certified = true, true
		if level(f, sig) == 1 {
			return refusal.New(refusal.ChangesForbidden, "The document is certified by its author's signature, which forbids any change")
		}
	}
	left := maxFields
	return s.fields(f.Get(s.form, "Fields"), &left, 0)
}

func (s *study) fields(list xref.Value, left *int, depth int) error {
	if depth > 32 {
		return nil
	}
	for v := range s.f.Elems(list) {
		if *left--; *left < 0 {
			return nil
		}
		if v.Get("FT").Is("Sig") && s.f.Get(v, "V").Kind() == syntax.Dict {
			s.signed = true
			if p, ok := s.f.Get(s.f.Get(v, "Lock"), "P").Int(); ok && p == 1 {
				return refusal.New(refusal.ChangesForbidden, "A signature in the document locks it against any change")
			}
		}
		if kids := s.f.Get(v, "Kids"); kids.Kind() == syntax.Array {
			if err := s.fields(kids, left, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// level is what a certifying signature permits: 1 nothing, 2 filling in forms
// and signing, 3 notes as well (ISO 32000-1, table 254).
func level(f *xref.File, sig xref.Value) int {
	for ref := range f.Elems(f.Get(sig, "Reference")) {
		if f.Get(ref, "TransformMethod").Is("DocMDP") {
			if p, ok := f.Get(f.Get(ref, "TransformParams"), "P").Int(); ok {
				return int(p)
			}
		}
	}
	return 2
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
