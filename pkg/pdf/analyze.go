package pdf

import (
	"bytes"
	"errors"

	"github.com/vecctl/vecctl/pkg/pdf/acroform"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const maxMetadata = 1 << 20

// analysis is what an update must know of a document.
type analysis struct {
	f               *xref.File
	page            *page.Page
	content         page.Content
	form            xref.Value // the AcroForm dictionary; null where there is none
	signed          bool       // a field carries a signature
	embeds          bool       // it calls itself PDF/A or PDF/UA: its fonts must be embedded
	needAppearances bool       // its form asks viewers to draw its fields anew
}

// analyze finds out whether and how a document can be continued. Where the
// cross-reference misleads, it looks again with a rebuilt one.
func analyze(f *xref.File, number int, mayOverride bool) (*analysis, error) {
	s, err := analyzeOnce(f, number, mayOverride)
	r, ok := errors.AsType[*Rejection](err)
	if !ok || (r.Reason != reject.NoPages && r.Reason != reject.Damaged) {
		return s, err
	}
	if f.LimitErr != nil {
		return nil, f.LimitErr // the parts are there, and a bound forbids to read them
	}
	if f.Repaired || f.Rebuild() != nil {
		return nil, err
	}
	if s, again := analyzeOnce(f, number, mayOverride); again == nil {
		return s, nil
	}
	if f.LimitErr != nil {
		return nil, f.LimitErr
	}
	return nil, err
}

func analyzeOnce(f *xref.File, number int, mayOverride bool) (*analysis, error) {
	s := &analysis{f: f}
	if f.Crypt != nil && !f.Crypt.MayModify() && !mayOverride {
		return nil, reject.New(reject.NotPermitted, "The document's author does not permit changes to it")
	}
	if s.form = f.Get(f.Root, "AcroForm"); s.isDynamicXFA() {
		return nil, reject.New(reject.XFAOnly, "The document is a dynamic XFA form, whose pages exist only in Adobe's viewer")
	}
	if err := s.findSignatures(); err != nil {
		return nil, err
	}
	var err error
	if s.page, err = page.Find(f, number); err != nil {
		return nil, err
	}
	if s.page.NoVisiblePart {
		return nil, reject.Newf(reject.Damaged, "Page %d shows nothing of its paper: its CropBox lies outside its MediaBox, and viewers do not agree on what to show", s.page.Number)
	}
	if s.content, err = page.ReadContent(f, s.page); err != nil {
		return nil, err
	}
	if what := cutOff(f); what != "" {
		return nil, reject.Newf(reject.Truncated, "The document breaks off behind an object: %s is not there", what)
	}
	s.embeds, s.needAppearances = isPDFA(f) || accessible.Match(metadata(f)), acroform.NeedAppearances(f)
	return s, nil
}

// cutOff names what a document lacks that was cut off behind an object.
func cutOff(f *xref.File) string {
	if !f.CutOff {
		return ""
	}
	return page.Missing(f)
}

// isDynamicXFA reports whether the pages are made by an XFA form when it is opened:
// it says so, or it has no fields of the ordinary kind.
func (s *analysis) isDynamicXFA() bool {
	if string(s.f.Get(s.f.Root, "NeedsRendering").Object) == "true" {
		return true
	}
	if !s.hasXFATemplate() {
		return false
	}
	for range s.f.Elems(s.f.Get(s.form, "Fields")) {
		return false
	}
	return true
}

// hasXFATemplate reports whether the form has an XFA template, which pages could be made of:
// a stream that is one XFA document, or streams that are its parts.
func (s *analysis) hasXFATemplate() bool {
	v := s.f.Get(s.form, "XFA")
	if v.IsStream() {
		return s.isXFA(v)
	}
	for part := range s.f.Elems(v) {
		if part.IsStream() && s.isXFA(part) {
			return true
		}
	}
	return false
}

// isXFA reports whether a stream says that it is of an XFA form.
func (s *analysis) isXFA(v xref.Value) bool {
	const most = 4 << 20
	text, err := s.f.Inflate(v, most)
	if err != nil && len(text) == 0 {
		return s.f.LimitErr != nil // too large to be looked at is no junk
	}
	return bytes.Contains(text, []byte("ns.adobe.com/xdp")) || bytes.Contains(text, []byte("www.xfa.org/schema/xfa-template")) ||
		bytes.Contains(text, []byte("<xdp:xdp")) || bytes.Contains(text, []byte("<template"))
}

// findSignatures looks for signatures and what they forbid.
func (s *analysis) findSignatures() error {
	f := s.f
	if sig := f.Get(f.Get(f.Root, "Perms"), "DocMDP"); sig.Kind() == object.Dict {
		s.signed = true
		if acroform.DocMDPLevel(f, sig) == 1 {
			return reject.New(reject.ChangesForbidden, "The document is certified by its author's signature, which forbids any change")
		}
	}
	for signed := range acroform.Signatures(f) {
		s.signed = true
		if p, ok := f.Get(f.Get(signed.Field, "Lock"), "P").Int(); ok && p == 1 {
			return reject.New(reject.ChangesForbidden, "A signature in the document locks it against any change")
		}
	}
	return nil
}

// isPDFA reports whether the document's metadata call it PDF/A.
func isPDFA(f *xref.File) bool {
	return bytes.Contains(metadata(f), []byte("http://www.aiim.org/pdfa/ns/id/"))
}
