package report

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/template/typeset"
)

// The page: A4, in points.
const (
	pageW, pageH = 595.28, 841.89
	left         = 56.64
	width        = pageW - 2*left
	top          = 74   // of what stands below the header
	bottom       = 786  // of what stands above the footer
	rowH         = 17   // of a row whose cells have one line
	lineH        = 10.5 // of each further line
	maxCellLines = 6    // that a cell may have
	cellSize     = 8.5
	minCellSize  = 5.5
	gap          = 3 // at both sides of a cell
	dark, pale   = 60, 236
)

type box = typeset.Box

// column is one of a table.
type column struct {
	name  string
	width float64
	right bool // its cells end at the right
}

// layout lays out page after page.
type layout struct {
	report        Report
	fonts         *fontSet
	regular, bold []*typeset.Font
	layouter      typeset.Layouter
	pages         []pdf.Page
	y             float64
	err           error
}

func newLayout(s Report, f *fontSet) *layout {
	p := &layout{report: s, fonts: f, regular: f.regular, bold: f.bold}
	p.newPage()
	return p
}

// newPage begins a page.
func (p *layout) newPage() {
	p.pages = append(p.pages, pdf.Page{Shapes: []pdf.Shape{rule(left, top-14, width), rule(left, bottom+10, width)}})
	p.y = top
}

func (p *layout) page() *pdf.Page { return &p.pages[len(p.pages)-1] }

func rule(x, y, w float64) pdf.Shape { return pdf.Shape{X: x, Y: y, W: w, Line: 0.5, Grey: dark} }

// ensureSpace begins a page where something would not fit on this one.
func (p *layout) ensureSpace(h float64) {
	if p.y+h > bottom {
		p.newPage()
	}
}

// line sets a line, at the top of its box.
func (p *layout) line(fonts []*typeset.Font, size float64, text string, b box) {
	p.drawText(p.page(), text, typeset.Style{Fonts: fonts, Size: size, MinSize: min(size, minCellSize), Lines: 1, Leading: 1.2, Vertical: typeset.Middle}, b)
}

// drawText puts a text into its box. What is too long for it is shortened, and a character
// that no font holds is spelled out.
func (p *layout) drawText(leaf *pdf.Page, text string, style typeset.Style, b box) {
	if p.err != nil {
		return
	}
	// Characters that are there one by one may be missing as they stand together.
	has := []func(rune) bool{p.fonts.has, p.regular[0].Has}
	for {
		texts, err := p.layouter.Layout(text, style, b)
		missing, ok := errors.Is(err, typeset.ErrMissing), false
		switch {
		case err == nil:
			leaf.Texts = append(leaf.Texts, texts...)
			return
		case missing && len(has) > 0:
			text, has = spellMissing(text, has[0]), has[1:]
		default:
			if text, ok = shorten(text); !ok {
				p.err = fmt.Errorf("printing the report: %w", err)
				return
			}
		}
	}
}

// shorten takes a part of a text away, and says so; false when nothing is left to
// take.
func shorten(text string) (string, bool) {
	const dots = "…"
	runes := []rune(strings.TrimSuffix(strings.ReplaceAll(text, "\n", " "), dots))
	if len(runes) < 2 {
		return text, false
	}
	return strings.TrimSpace(string(runes[:len(runes)*4/5])) + dots, true
}

func (p *layout) heading(text string) {
	p.line(p.bold, 12, text, box{X: left, Y: p.y, W: width, H: 18})
	p.y += 22
}

// labelledLine is a line with its name in front of it.
func (p *layout) labelledLine(name, says string) {
	p.line(p.bold, 9, name, box{X: left, Y: p.y, W: 90, H: 14})
	p.line(p.regular, 9, says, box{X: left + 92, Y: p.y, W: width - 92, H: 14})
	p.y += 15
}

// table prints rows below their headings, which are there again on each page. A table
// without rows is left out.
func (p *layout) table(title string, columns []column, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	p.ensureSpace(22 + 3*rowH)
	p.heading(title)
	p.headings(columns)
	for i, row := range rows {
		h := height(columns, row)
		if p.y+h > bottom {
			p.newPage()
			p.headings(columns)
		}
		if i%2 == 1 {
			p.shadeRow(columns, h)
		}
		p.row(p.regular, columns, row, h)
	}
	p.y += 16
}

// height guesses the height of a row. Where it is too small for a cell, that cell's
// letters get smaller.
func height(columns []column, cells []string) float64 {
	const narrow, wide = 4.6, 8.6 // of a letter of cellSize
	lines := 1
	for i, c := range columns {
		w := 0.0
		for _, r := range cells[i] {
			if w += narrow; r >= 0x1100 {
				w += wide - narrow
			}
		}
		lines = max(lines, int(w/(c.width-2*gap))+1)
	}
	return rowH + lineH*float64(min(lines, maxCellLines)-1)
}

func (p *layout) shadeRow(columns []column, h float64) {
	w := 0.0
	for _, c := range columns {
		w += c.width
	}
	p.page().Shapes = append(p.page().Shapes, pdf.Shape{X: left, Y: p.y, W: w, H: h, Grey: pale})
}

func (p *layout) headings(columns []column) {
	var names []string
	w := 0.0
	for _, c := range columns {
		names = append(names, c.name)
		w += c.width
	}
	p.row(p.bold, columns, names, rowH)
	p.page().Shapes = append(p.page().Shapes, rule(left, p.y, w))
}

func (p *layout) row(fonts []*typeset.Font, columns []column, cells []string, h float64) {
	x := left
	for i, c := range columns {
		style := typeset.Style{Fonts: fonts, Size: cellSize, MinSize: minCellSize, WrapFirst: true, Leading: 1.2, Vertical: typeset.Middle}
		if c.right {
			style.Horizontal = typeset.End
		}
		p.drawText(p.page(), cells[i], style, box{X: x + gap, Y: p.y + 0.5, W: c.width - 2*gap, H: h - 1})
		x += c.width
	}
	p.y += h
}

// write adds to every page what only the end knows, and writes all.
func (p *layout) write(w io.Writer) error {
	line := func(leaf *pdf.Page, fonts []*typeset.Font, text string, across typeset.Align, b box) {
		p.drawText(leaf, text, typeset.Style{Fonts: fonts, Size: 8.5, MinSize: minCellSize, Lines: 1, Leading: 1.2, Horizontal: across, Vertical: typeset.Middle}, b)
	}
	for i := range p.pages {
		leaf := &p.pages[i]
		line(leaf, p.bold, p.report.Institution, typeset.Start, box{X: left, Y: 40, W: width * 3 / 4, H: 16})
		line(leaf, p.regular, "Outcome of a batch", typeset.End, box{X: left + width*3/4, Y: 40, W: width / 4, H: 16})
		line(leaf, p.regular, p.report.Batch.Name, typeset.Start, box{X: left, Y: bottom + 14, W: width * 3 / 4, H: 16})
		line(leaf, p.regular, fmt.Sprintf("Page %d of %d", i+1, len(p.pages)), typeset.End, box{X: left + width*3/4, Y: bottom + 14, W: width / 4, H: 16})
	}
	if p.err != nil {
		return p.err
	}
	return pdf.Document{Width: pageW, Height: pageH, Title: "Outcome of the batch " + p.report.Batch.Name, Language: "en", Pages: p.pages}.Write(w)
}
