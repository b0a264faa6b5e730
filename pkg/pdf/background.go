package pdf

import (
	"bytes"
	"io"
	"slices"
	"sync"

	"github.com/vecctl/vecctl/pkg/pdf/draw"
	"github.com/vecctl/vecctl/pkg/pdf/image"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Font is a TrueType font for Text.
type Font = draw.Font

// ParseFont reads a TrueType font. The error is what is wrong with it, without
// its name.
func ParseFont(file []byte) (*Font, error) { return draw.ParseFont(file) }

// Text is a row of glyphs of one font.
type Text = draw.Text

// Glyph is one of a Text.
type Glyph = draw.Glyph

// Background is a page that many documents are printed on: what all of them share
// is read once. It is safe for concurrent use.
type Background struct {
	base     []byte
	w, h     float64
	analyses sync.Pool // of *analysis, on files that stay open
	scratch  sync.Pool // of *scratch
}

// NewBackground takes a PDF of one page as the background.
func NewBackground(background []byte) (*Background, error) {
	s := &Background{base: background}
	st, err := s.analysis()
	if err != nil {
		return nil, err
	}
	defer s.analyses.Put(st)
	if st.f.Crypt != nil {
		return nil, reject.New(reject.Encrypted, "The background is encrypted")
	}
	if n := countPages(st.f); n != 1 {
		return nil, reject.Newf(reject.NoSuchPage, "The background has %d pages: it must have one", n)
	}
	if st.signed {
		return nil, reject.New(reject.ChangesForbidden, "The background carries a signature")
	}
	s.w, s.h = st.page.VisibleSize()
	return s, nil
}

// countPages counts the pages that can be reached, two at most.
func countPages(f *xref.File) int {
	if _, err := page.Find(f, 2); err == nil {
		return max(2, page.Count(f))
	}
	return 1
}

// WritePage makes a PDF of one page of a size in millimetres, with an image, where
// one is given, over all of it.
func WritePage(w io.Writer, widthMM, heightMM float64, picture []byte) error {
	return image.WritePage(w, widthMM, heightMM, picture)
}

// Size is the page's size as a reader sees it, in points of 1/72 inch.
func (s *Background) Size() (w, h float64) { return s.w, s.h }

// Bytes is the page with nothing printed on it.
func (s *Background) Bytes() []byte { return s.base }

func (s *Background) analysis() (*analysis, error) {
	if st, ok := s.analyses.Get().(*analysis); ok {
		return st, nil
	}
	f, err := xref.Open(bytes.NewReader(s.base), int64(len(s.base)))
	if err != nil {
		return nil, err
	}
	return analyze(f, 1, true)
}

// Render makes a document: the page with texts on it. The same texts always give
// the same bytes.
func (s *Background) Render(texts []Text) ([]byte, error) {
	st, err := s.analysis()
	if err != nil {
		return nil, err
	}
	defer s.analyses.Put(st)
	d, ok := s.scratch.Get().(*scratch)
	if !ok {
		d = newScratch()
	}
	defer s.scratch.Put(d)
	u := updateWriter{analysis: st, scratch: d, w: &d.w, inContent: true, matrix: stamp.Layout{}.Matrix(st.page)}
	err = s.write(&u, texts)
	d.buf = d.w.Bytes
	if err != nil {
		return nil, err
	}
	return slices.Concat(s.base, d.w.Bytes), nil
}

func (s *Background) write(u *updateWriter, texts []Text) error {
	if err := u.w.Start(u.f, nil, u.buf); err != nil {
		return err
	}
	job := draw.Renderer{Writer: u.w, Deflate: u.deflate, Width: s.w, Height: s.h}
	var err error
	if u.form, err = job.Write(texts); err != nil {
		return err
	}
	if u.pageRef = u.page.Ref; u.pageRef.Num == 0 {
		u.pageRef = u.w.NewRef()
	}
	for _, step := range []func() error{u.writeContent, u.rewriteBrokenStreams, u.writePage, u.writeKids} {
		if err := step(); err != nil {
			return err
		}
	}
	return u.w.Finish(u.fileID())
}
