package pdf

import (
	"bytes"
	"io"
	"slices"
	"sync"

	"github.com/vecctl/vecctl/pkg/pdf/mark"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/print"
	"github.com/vecctl/vecctl/pkg/pdf/raster"
	"github.com/vecctl/vecctl/pkg/pdf/refusal"
	"github.com/vecctl/vecctl/pkg/pdf/typeface"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Face is a TrueType font for Text.
type Face = typeface.Face

// ParseFace reads a TrueType font. The error is what is wrong with it, without
// its name.
func ParseFace(file []byte) (*Face, error) { return typeface.Parse(file) }

// Text is a row of glyphs of one font.
type Text = print.Text

// Glyph is one of a Text.
type Glyph = print.Glyph

// Sheet is a page that many documents are printed on: what all of them share
// is read once. It is safe for concurrent use.
type Sheet struct {
	base  []byte
	w, h  float64
	open  sync.Pool // of *study, on files that stay open
	desks sync.Pool // of *desk
}

// NewSheet takes a PDF of one page as the background.
func NewSheet(background []byte) (*Sheet, error) {
	s := &Sheet{base: background}
	st, err := s.study()
	if err != nil {
		return nil, err
	}
	defer s.open.Put(st)
	if st.f.Crypt != nil {
		return nil, refusal.New(refusal.Encrypted, "The background is encrypted")
	}
	if n := pages(st.f); n != 1 {
		return nil, refusal.Newf(refusal.NoSuchPage, "The background has %d pages: it must have one", n)
	}
	if st.signed {
		return nil, refusal.New(refusal.ChangesForbidden, "The background carries a signature")
	}
	s.w, s.h = st.page.Seen()
	return s, nil
}

// pages counts the pages that can be reached, two at most.
func pages(f *xref.File) int {
	if _, err := page.Find(f, 2); err == nil {
		return max(2, page.Count(f))
	}
	return 1
}

// NewPage makes a PDF of one page of a size in millimetres, with an image, where
// one is given, over all of it.
func NewPage(w io.Writer, widthMM, heightMM float64, image []byte) error {
	return raster.Page(w, widthMM, heightMM, image)
}

// Size is the page's size as a reader sees it, in points of 1/72 inch.
func (s *Sheet) Size() (w, h float64) { return s.w, s.h }

// Bytes is the page with nothing printed on it.
func (s *Sheet) Bytes() []byte { return s.base }

func (s *Sheet) study() (*study, error) {
	if st, ok := s.open.Get().(*study); ok {
		return st, nil
	}
	f, err := xref.Open(bytes.NewReader(s.base), int64(len(s.base)))
	if err != nil {
		return nil, err
	}
	return examine(f, 1, true)
}

// Print makes a document: the page with texts on it. The same texts always give
// the same bytes.
func (s *Sheet) Print(texts []Text) ([]byte, error) {
	st, err := s.study()
	if err != nil {
		return nil, err
	}
	defer s.open.Put(st)
	d, ok := s.desks.Get().(*desk)
	if !ok {
		d = newDesk()
	}
	defer s.desks.Put(d)
	u := update{study: st, desk: d, w: &d.w, drawn: true, matrix: mark.Layout{}.Matrix(st.page)}
	err = s.print(&u, texts)
	d.buf = d.w.Bytes
	if err != nil {
		return nil, err
	}
	return slices.Concat(s.base, d.w.Bytes), nil
}

func (s *Sheet) print(u *update, texts []Text) error {
	if err := u.w.Start(u.f, nil, u.buf); err != nil {
		return err
	}
	job := print.Job{Writer: u.w, Deflate: u.deflate, Width: s.w, Height: s.h}
	var err error
	if u.form, err = job.Write(texts); err != nil {
		return err
	}
	if u.pageRef = u.page.Ref; u.pageRef.Num == 0 {
		u.pageRef = u.w.New()
	}
	for _, step := range []func() error{u.writeContent, u.mendContent, u.writePage, u.writeKids} {
		if err := step(); err != nil {
			return err
		}
	}
	return u.w.Finish(u.fileID())
}
