// Package stamp places a QR code with its caption on a page and draws it.
package stamp

import (
	"math"
	"strconv"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

const (
	pointsPerMM = 72 / 25.4 // points in a millimetre
	minSideMM   = 8         // below it a phone does not focus
	minModuleMM = 0.2       // below it a phone does not tell the modules apart
	smallSideMM = 10        // what a small page's share does not shrink below
	maxShare    = 0.45      // of a page's shorter side that a code may take
	maxFont     = 6.0       // points
	minFont     = 2.0
	capHeight   = 0.72 // of Helvetica, in parts of the size
)

// Spec is what is wanted. Lengths are in millimetres.
type Spec struct {
	Side, Margin float64
	Right, Top   bool // the corner
	Absolute     bool // no corner: X and Y say where the code's top left one is
	X, Y         float64
	Caption      string
}

// Layout is where things lie. All lengths are points of 1/72 inch, as the
// reader sees the page; the origin is the ground's bottom left corner, with
// the ground's own place on the page in X and Y.
type Layout struct {
	X, Y, W, H         float64 // the white ground on the page
	CodeX, CodeY, Side float64 // the code on the ground
	Font               float64 // size of the caption; 0 without one
	TextX, TextY       float64
	PageW, PageH       float64
}

// NewLayout lays the code out in a corner of a page. On a page that is small for
// it, margin and code shrink as far as a phone can follow.
func NewLayout(p *page.Page, code *qr.Code, s Spec) (Layout, error) {
	w, h := p.VisibleSize()
	l := Layout{PageW: w, PageH: h}
	modules := float64(code.Size)
	least := max(minSideMM, minModuleMM*modules) * pointsPerMM
	side := min(s.Side*pointsPerMM, max(maxShare*min(w, h), smallSideMM*pointsPerMM, least))
	// The ground must lie on the page, with its caption.
	ground := 1 + 2*qr.QuietZone/modules
	side = min(side, w/ground, h/(ground+captionShare(s.Caption, modules)))
	if side < least*0.999 {
		return l, reject.Newf(reject.PageTooSmall, "Page %d is too small for a QR code: it is %.0f x %.0f mm",
			p.Number, w/pointsPerMM, h/pointsPerMM)
	}
	module := side / modules
	l.Side = side
	l.W = side + 2*qr.QuietZone*module
	if s.Caption != "" {
		width := Width(s.Caption)
		l.Font = min(maxFont, (l.W-2*module)/width)
		if l.Font < minFont {
			return l, reject.Newf(reject.BadMark, "The caption %.40q does not fit under the code", s.Caption)
		}
		l.TextX, l.TextY = (l.W-l.Font*width)/2, 0.3*l.Font
	}
	l.CodeX, l.CodeY = qr.QuietZone*module, qr.QuietZone*module+1.3*capHeight*l.Font
	l.H = l.CodeY + side + qr.QuietZone*module
	if s.Absolute {
		l.X, l.Y = s.X*pointsPerMM-l.CodeX, h-s.Y*pointsPerMM-side-l.CodeY
		if slack := quietSlack * module; l.X < -slack || l.X+l.W > w+slack || l.Y < -slack || l.Y+l.H > h+slack {
			return l, reject.Newf(reject.BadPlace, "At %g, %g mm the code does not lie on page %d with its margins: it is %.0f x %.0f mm",
				s.X, s.Y, p.Number, w/pointsPerMM, h/pointsPerMM)
		}
		return l, nil
	}
	l.placeInCorner(s, module)
	return l, nil
}

// quietSlack is how many modules of a code's white border may lie beyond the
// page, whose edge is white as well for a phone.
const quietSlack = 2

// captionShare is an upper bound of the caption's height in parts of the
// code's side.
func captionShare(caption string, modules float64) float64 {
	if caption == "" {
		return 0
	}
	return 1.3 * capHeight * (1 + (2*qr.QuietZone-2)/modules) / Width(caption)
}

// placeInCorner puts the ground so that what is dark keeps its margin from the page's
// edges, as far as the page is large enough for that.
func (l *Layout) placeInCorner(s Spec, module float64) {
	quiet := qr.QuietZone * module
	below := quiet // white between the ground's edge and what is dark
	if l.Font > 0 {
		below = l.TextY
	}
	margin := s.Margin * pointsPerMM
	near := max(0, min(margin-quiet, (l.PageW-l.W)/2))
	if l.X = near; s.Right {
		l.X = l.PageW - l.W - near
	}
	if s.Top {
		l.Y = l.PageH - l.H - max(0, min(margin-quiet, (l.PageH-l.H)/2))
	} else {
		l.Y = max(0, min(margin-below, (l.PageH-l.H)/2))
	}
}

// Matrix turns the ground's own coordinates into the user space of the page.
func (l Layout) Matrix(p *page.Page) [6]float64 {
	k := 1 / p.UserUnit
	x, y, b := l.X*k, l.Y*k, p.Box
	switch p.Rotate {
	case 90:
		return [6]float64{0, k, -k, 0, b.X1 - y, b.Y0 + x}
	case 180:
		return [6]float64{-k, 0, 0, -k, b.X1 - x, b.Y1 - y}
	case 270:
		return [6]float64{0, -k, k, 0, b.X0 + y, b.Y1 - x}
	}
	return [6]float64{k, 0, 0, k, b.X0 + x, b.Y0 + y}
}

// Rect is the ground's place in the user space of the page.
func (l Layout) Rect(p *page.Page) page.Rect {
	m := l.Matrix(p)
	x, y := m[4]+m[0]*l.W+m[2]*l.H, m[5]+m[1]*l.W+m[3]*l.H
	return page.Rect{X0: min(m[4], x), Y0: min(m[5], y), X1: max(m[4], x), Y1: max(m[5], y)}
}

// Style is how a document wants its marks drawn.
type Style struct {
	Gray     string // the operator that sets a gray for filling, after a space
	Outlined bool   // the caption as outlines and not in the font /F
}

// Plain suits all documents but those that must carry their fonts and colours.
var Plain = Style{Gray: " g"}

// PDFA suits PDF/A; /G is a calibrated gray.
var PDFA = Style{Gray: " sc", Outlined: true}

// Draw appends the ground, the code and the caption as a content stream in the
// ground's coordinates.
//
// All modules are one path: drawn one by one, neighbours would show seams.
func Draw(b []byte, l Layout, code *qr.Code, caption string, style Style) ([]byte, error) {
	if style == PDFA {
		b = append(b, "/G cs "...)
	}
	b = append(b, '1')
	b = append(b, style.Gray...)
	b = appendNumbers(b, 0, 0, l.W, l.H)
	b = append(b, " re f 0"...)
	b = append(b, style.Gray...)
	b = append(b, "\nq"...)
	module := l.Side / float64(code.Size)
	b = appendScale(b, module, l.CodeX, l.CodeY)
	b = append(b, " cm\n"...)
	for y := range code.Size {
		b = appendRow(b, code, y)
	}
	b = append(b, "f Q\n"...)
	switch {
	case l.Font == 0:
		return b, nil
	case style.Outlined:
		return appendOutlines(b, l, caption)
	}
	b = append(b, "BT /F"...)
	b = appendNumbers(b, l.Font)
	b = append(b, " Tf"...)
	b = appendNumbers(b, l.TextX, l.TextY)
	b = append(b, " Td "...)
	b = object.AppendString(b, []byte(caption))
	return append(b, " Tj ET\n"...), nil
}

// appendRow appends the runs of dark modules of one row.
func appendRow(b []byte, code *qr.Code, y int) []byte {
	for x := 0; x < code.Size; x++ {
		if !code.Dark(x, y) {
			continue
		}
		from := x
		for code.Dark(x, y) {
			x++
		}
		b = strconv.AppendInt(b, int64(from), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(code.Size-1-y), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(x-from), 10)
		b = append(b, " 1 re\n"...)
	}
	return b
}

func appendScale(b []byte, k, x, y float64) []byte {
	b = append(b, ' ')
	b = appendFactor(b, k)
	b = append(b, " 0 0 "...)
	b = appendFactor(b, k)
	return appendNumbers(b, x, y)
}

// appendFactor keeps the digits that a factor needs, other than a length.
func appendFactor(b []byte, f float64) []byte {
	return strconv.AppendFloat(b, math.Round(f*1e7)/1e7, 'f', -1, 64)
}

func appendNumbers(b []byte, ns ...float64) []byte {
	for _, n := range ns {
		b = append(b, ' ')
		b = object.AppendReal(b, n)
	}
	return b
}

// AppendMatrix appends the six numbers of a matrix.
func AppendMatrix(b []byte, m [6]float64) []byte {
	for i, n := range m {
		if i > 0 {
			b = append(b, ' ')
		}
		if i < 4 {
			b = appendFactor(b, n)
		} else {
			b = object.AppendReal(b, n)
		}
	}
	return b
}
