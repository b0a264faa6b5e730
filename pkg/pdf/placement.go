package pdf

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Where a code goes unless something else is said.
const (
	DefaultPlace    = "bottom-right"
	DefaultSizeMM   = 22
	DefaultMarginMM = 8
)

var corners = []string{"bottom-right", "bottom-left", "top-right", "top-left", "auto"}

// ParsePlace reads where a code goes: a corner such as "top-left", "auto", or
// "X,Y", millimetres from the page's top left corner to the code's. Nothing is
// the bottom right corner. All else of the Stamp is empty.
func ParsePlace(s string) (Stamp, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" {
		return Stamp{}, nil
	}
	if i := slices.Index(corners, s); i >= 0 {
		return Stamp{Corner: Corner(i)}, nil
	}
	across, down, _ := strings.Cut(s, ",")
	x, err := strconv.ParseFloat(strings.TrimSpace(across), 64)
	y, err2 := strconv.ParseFloat(strings.TrimSpace(down), 64)
	if errors.Join(err, err2) != nil || !(x >= 0 && x < 1e5 && y >= 0 && y < 1e5) {
		return Stamp{}, fault.Newf(fault.Invalid, "%q is not a place for a code; it can be %s, or X,Y in millimetres from the page's top left corner",
			s, strings.Join(corners, ", "))
	}
	return Stamp{Corner: Absolute, XMM: x, YMM: y}, nil
}

// StampAt is a Stamp whose code goes where ParsePlace reads it to go, on a page and of a
// size; zeros are the usual ones.
func StampAt(at string, page int, sizeMM, marginMM float64) (Stamp, error) {
	m, err := ParsePlace(at)
	m.Page, m.SizeMM, m.MarginMM = page, sizeMM, marginMM
	return m, err
}

// CheckStamp finds out whether a code of the usual length has room on the document
// of size bytes at r, where the mark's place says; its link may be empty. An image
// is the page that is made of it.
func CheckStamp(r io.ReaderAt, size int64, m Stamp) error {
	if m.URL == "" {
		m.URL = "-"
	}
	if err := m.check(); err != nil {
		return err
	}
	r, size, err := asPDF(r, size)
	if err != nil {
		return err
	}
	f, err := xref.Open(r, size)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := analyze(f, m.Page, true)
	if err != nil {
		return err
	}
	_, err = stamp.NewLayout(s.page, qr.NewCode(typicalModules), m.spec())
	return err
}

// asPDF gives an image as an empty page of its size, and a PDF as it is.
func asPDF(r io.ReaderAt, size int64) (io.ReaderAt, int64, error) {
	format, err := sniff(r, size)
	if err != nil || format == FormatPDF {
		return r, size, err
	}
	image, err := inspectImage(r, size, format)
	if err != nil {
		return nil, 0, err
	}
	return pageOf(r, size, image, false)
}

// placeCode finds the code's place on the page. With Auto that is the first free one,
// and the bottom right corner where none is free.
func (s *analysis) placeCode(m Stamp, code *qr.Code, g *ground) (stamp.Layout, error) {
	first, err := stamp.NewLayout(s.page, code, m.spec())
	if err != nil || m.Corner != Auto {
		return first, err
	}
	if l, ok := s.freePlace(m, code, g); ok {
		return l, nil
	}
	return first, nil
}

const (
	inwardMM    = 4  // by which corners are moved into the page, one step after the other
	inwardSteps = 10 // of them at most: frames of pages are not further in
)

// freePlace is the first free place for a code: the corners in their order, then the
// corners moved into the page, as within a frame.
func (s *analysis) freePlace(m Stamp, code *qr.Code, g *ground) (stamp.Layout, bool) {
	tried := map[page.Rect]bool{}
	for step := range inwardSteps + 1 {
		for c := BottomRight; c <= TopLeft; c++ {
			at := m
			at.Corner, at.MarginMM = c, m.MarginMM+float64(step*inwardMM)
			l, err := stamp.NewLayout(s.page, code, at.spec())
			if err != nil {
				return l, false
			}
			place := l.Rect(s.page)
			if tried[place] {
				continue
			}
			tried[place] = true
			if g.shows(place).Free() {
				return l, true
			}
		}
	}
	return stamp.Layout{}, false
}
