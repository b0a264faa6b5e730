package pdf

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/image"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/verify"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Coverage is what a code would cover on a document, and where it is free instead.
type Coverage struct {
	page.Shown
	Place string // where the code goes: a corner, "auto" or "X,Y"
	Page  int    // from 1
	// Corners are those that are free, in their order. Where the code
	// covers nothing and the page was not drawn to find that out, only those that no box reaches.
	Corners []string
	Inside  string // "X,Y": a free place within the page, where no corner is free
}

// UnseenContent is the description of a page of which nobody can say what it shows.
const UnseenContent = "what cannot be looked at"

// Describe names what is covered: "text and an image"; "" where it is nothing that says
// something.
func (c Coverage) Describe() string {
	var parts []string
	for _, part := range []struct {
		is   bool
		name string
	}{{c.Text, "text"}, {c.Drawing, "a drawing"}, {c.Image, "an image"}, {c.Annotation, "a form field or a note"}} {
		if part.is {
			parts = append(parts, part.name)
		}
	}
	if len(parts) == 0 && c.Unseen {
		return UnseenContent
	}
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " and " + parts[n-1]
	}
	return strings.Join(parts, "")
}

// Instead names the free places, of which there may be none.
func (c Coverage) Instead() []string {
	if len(c.Corners) == 0 && c.Inside != "" {
		return []string{c.Inside}
	}
	return c.Corners
}

// ground is what a page shows, found out as far as it is asked for.
type ground struct {
	analysis *analysis
	r        io.ReaderAt // the document
	size     int64
	occupied page.Occupied
	known    bool // occupied and drawn are
	drawn    bool // the page has fonts whose glyphs are drawings
	view     *page.View
}

// shows says what a place shows. Most pages need no closer look to know that a place is
// free: the boxes around what is drawn do not reach it.
func (g *ground) shows(place page.Rect) page.Shown {
	if g.view == nil {
		if g.isClear(place) {
			return page.Shown{}
		}
		g.look()
	}
	return g.view.Shows(place)
}

// isClear reports whether no box reaches a place, so that it is free without a look.
func (g *ground) isClear(place page.Rect) bool {
	s := g.analysis
	if !g.known {
		g.occupied, g.drawn, g.known = page.FindOccupiedBy(s.f, s.page, s.content), page.HasDrawnFont(s.f, s.page), true
	}
	return !g.drawn && !g.occupied.Overlaps(place) && !page.CoveredByAnnotation(s.f, s.page, place)
}

// look draws the page, from a file of its own: what reading pictures takes is not what
// reading the document may take.
func (g *ground) look() {
	g.view = page.Unseen(g.analysis.page)
	f, err := xref.Open(g.r, g.size)
	if err != nil {
		return
	}
	defer f.Close()
	if g.analysis.f.Repaired && !f.Repaired && f.Rebuild() != nil {
		return
	}
	if p, err := page.Find(f, g.analysis.page.Number); err == nil {
		g.view = page.Look(f, p)
	}
}

// InspectAt is Inspect together with a look at the place where a mark's code goes. Its
// link and caption should be as long as those that are stamped; the size is that of the
// code's page. Only with cover it finds out what the code would cover.
func (s *Stamper) InspectAt(r io.ReaderAt, size int64, m Stamp, cover bool) (Info, Coverage, error) {
	return inspectAt(r, size, m, cover, s.override)
}

// InspectAt is the method of that name without a stamper's options.
func InspectAt(r io.ReaderAt, size int64, m Stamp, cover bool) (Info, Coverage, error) {
	return inspectAt(r, size, m, cover, false)
}

func inspectAt(r io.ReaderAt, size int64, m Stamp, cover, mayOverride bool) (Info, Coverage, error) {
	if m.URL == "" {
		m.URL = "-"
	}
	if err := m.check(); err != nil {
		return Info{}, Coverage{}, err
	}
	format, err := sniff(r, size)
	if err != nil {
		return Info{}, Coverage{}, err
	}
	var made Info // of an image
	if format != FormatPDF {
		if made, err = inspectImage(r, size, format); err != nil {
			return Info{}, Coverage{}, err
		}
		if r, size, err = pageOf(r, size, made, cover); err != nil {
			return Info{}, Coverage{}, err
		}
	}
	f, err := xref.Open(r, size)
	if err != nil {
		return Info{}, Coverage{}, err
	}
	defer f.Close()
	s, err := analyze(f, m.Page, mayOverride)
	if err != nil {
		return Info{}, Coverage{}, err
	}
	if s.signed || verify.WasSigned(r, f) {
		if err := checkEarlier(r, size); err != nil {
			return Info{}, Coverage{}, err
		}
	}
	info := s.info()
	if format != FormatPDF {
		info = made
	}
	at, err := s.coverage(m, &ground{analysis: s, r: r, size: size}, cover)
	return info, at, err
}

// pageOf is the PDF of an image: with the image where it is to be looked at, else as
// large and empty.
func pageOf(r io.ReaderAt, size int64, made Info, picture bool) (io.ReaderAt, int64, error) {
	var page bytes.Buffer
	err := error(nil)
	if picture {
		err = image.ToPDF(&page, r, size)
	} else if err = WritePage(&page, made.WidthMM, made.HeightMM, nil); err != nil {
		err = fmt.Errorf("make an empty page: %w", err)
	}
	return bytes.NewReader(page.Bytes()), int64(page.Len()), err
}

// coverage finds the code's place and, where asked to, what lies there.
func (s *analysis) coverage(m Stamp, g *ground, cover bool) (Coverage, error) {
	code, err := sampleCode(m.URL)
	if err != nil {
		return Coverage{}, err
	}
	c := Coverage{Place: m.place(), Page: s.page.Number}
	if !cover {
		_, err := stamp.NewLayout(s.page, code, m.spec())
		return c, err
	}
	layout, err := s.placeCode(m, code, g)
	if err != nil {
		return c, err
	}
	c.Shown = g.shows(layout.Rect(s.page))
	if !c.Covers() && g.view == nil {
		c.Corners = s.freeCorners(m, code, g.isClear)
		return c, nil
	}
	c.Corners = s.freeCorners(m, code, func(place page.Rect) bool { return g.shows(place).Free() })
	if len(c.Corners) > 0 || !c.Covers() {
		return c, nil
	}
	if l, ok := s.freePlace(m, code, g); ok {
		p := toPlace(l, s.page.Number, code.Size)
		w, h := s.page.VisibleSize()
		c.Inside = fmt.Sprintf("%.0f,%.0f", p.X*w*25.4/72, p.Y*h*25.4/72)
	}
	return c, nil
}

// freeCorners names the corners at which the place of a mark's code is free.
func (s *analysis) freeCorners(m Stamp, code *qr.Code, isFree func(page.Rect) bool) (free []string) {
	for c := BottomRight; c <= TopLeft; c++ {
		m.Corner = c
		if l, err := stamp.NewLayout(s.page, code, m.spec()); err == nil && isFree(l.Rect(s.page)) {
			free = append(free, corners[c])
		}
	}
	return free
}

// place writes where a mark's code goes, as ParsePlace reads it.
func (m *Stamp) place() string {
	if m.Corner == Absolute {
		return fmt.Sprintf("%g,%g", m.XMM, m.YMM)
	}
	return corners[m.Corner]
}

// sampleCode is a white code as large as that of a link; "-" stands for one of the usual length.
func sampleCode(link string) (*qr.Code, error) {
	if link == "-" {
		return qr.NewCode(typicalModules), nil
	}
	code, err := qr.Blank(link)
	if err != nil {
		return nil, reject.Newf(reject.BadMark, "The link does not fit into a QR code (%v)", err)
	}
	return code, nil
}
