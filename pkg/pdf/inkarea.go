package pdf

import (
	"bytes"

	"github.com/vecctl/vecctl/pkg/pdf/draw"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Ink is a rectangle around what is seen of a glyph, in points from the page's top left
// corner.
type Ink = draw.Ink

// typicalCaption is as long as those that are printed under codes.
const typicalCaption = "VEC-IC-00000000000000000"

// CodeArea is the ground on which a code of the usual length is drawn. It is not known
// beforehand where the code goes to the first free place.
func (s *Background) CodeArea(m Stamp) (area Ink, known bool, err error) {
	m.URL, m.Caption = "-", typicalCaption
	if err := m.check(); err != nil {
		return area, false, err
	}
	if m.Corner == Auto {
		return area, false, nil
	}
	st, err := s.analysis()
	if err != nil {
		return area, false, err
	}
	defer s.analyses.Put(st)
	l, err := stamp.NewLayout(st.page, qr.NewCode(typicalModules), m.spec())
	return Ink{X0: l.X, X1: l.X + l.W, Y0: l.PageH - l.Y - l.H, Y1: l.PageH - l.Y}, err == nil, err
}

// Frame is what a page has around, or over, all of it. It is safe for concurrent use.
type Frame struct {
	view   *page.View
	page   *page.Page
	height float64
}

// Frame looks at the background.
func (s *Background) Frame() (*Frame, error) {
	f, err := xref.Open(bytes.NewReader(s.base), int64(len(s.base)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p, err := page.Find(f, 1)
	if err != nil {
		return nil, err
	}
	return &Frame{view: page.Look(f, p), page: p, height: s.h}, nil
}

// Meets reports whether a part of the frame lies within a rectangle.
func (f *Frame) Meets(r Ink) bool {
	place := stamp.Layout{X: r.X0, Y: f.height - r.Y1, W: r.X1 - r.X0, H: r.Y1 - r.Y0}
	return f.view.Shows(place.Rect(f.page)).Frame
}
