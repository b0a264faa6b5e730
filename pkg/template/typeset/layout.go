package typeset

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// Align is where a line stands in its box.
type Align uint8

// The alignments; Start is left or top, End right or bottom.
const (
	Start Align = iota
	Middle
	End
)

// Style is how a text is set. Sizes are in points.
type Style struct {
	Fonts         []*Font // the first that has a character is taken for it
	Size, MinSize float64 // MinSize: what a text that is too long may shrink to
	Lines         int     // that it may be wrapped into then; 0: as many as fit
	WrapFirst     bool    // it is wrapped first, and shrinks only then: right for running text
	Leading       float64 // from line to line, in parts of the size
	Horizontal    Align
	Vertical      Align
	Colour        [3]uint8
}

// Box is where a text goes, in points from the page's top left corner.
type Box struct{ X, Y, W, H float64 }

const (
	unitsPerEm = 1000 // at which texts are shaped
	sizeStep   = 0.25 // points between the sizes that are tried
	maxText    = 2000 // characters
)

// anyLanguage is fixed, so that a machine's own settings do not matter.
var anyLanguage = language.NewLanguage("en")

// Layouter sets texts. It serves one goroutine at a time.
type Layouter struct {
	shaper    shaping.HarfbuzzShaper
	segmenter shaping.Segmenter
	wrapper   shaping.LineWrapper
	faces     map[*Font]*font.Face
}

// paragraph is a shaped text without line breaks of its own.
type paragraph struct {
	text      []rune
	direction di.Direction
	runs      []shaping.Output
}

// Layout fits a text into a box: in its size on one line if it can, else smaller,
// else on more lines. What fits in no way, and a character that no font has, is
// an error that goes on from the text's name.
func (s *Layouter) Layout(text string, style Style, box Box) (_ []pdf.Text, err error) {
	// What the shaping library cannot handle is an error of this text alone.
	defer func() {
		if p := recover(); p != nil {
			*s = Layouter{}
			err = fault.Newf(fault.Invalid, "cannot be set: %.40q", text)
		}
	}()
	if text = clean(text); text == "" {
		return nil, nil
	}
	if len([]rune(text)) > maxText {
		return nil, fault.Newf(fault.Invalid, "has more than %d characters", maxText)
	}
	choose := s.fontSelector(style.Fonts)
	var all []paragraph
	for line := range strings.SplitSeq(text, "\n") {
		p, err := s.shape(strings.TrimSpace(line), choose)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	lines, size, ok := s.fit(all, style, box)
	if !ok {
		return nil, fault.Newf(fault.Invalid, "is too long for its place: %.40q does not fit %.0f x %.0f mm in %g points",
			text, box.W*25.4/72, box.H*25.4/72, style.MinSize)
	}
	return place(lines, size, style, box, choose), nil
}

// clean is a text with line breaks of one kind and no other control characters.
func clean(text string) string {
	text = strings.Map(func(c rune) rune {
		switch {
		case c == '\n', c == '\v', c == '\f', c == '\u0085', c == '\u2028', c == '\u2029':
			return '\n'
		case unicode.IsControl(c), c == unicode.ReplacementChar:
			return ' '
		}
		return c
	}, strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text))
	return norm.NFC.String(strings.TrimSpace(text))
}

func (s *Layouter) fontSelector(fonts []*Font) *fontSelector {
	if s.faces == nil {
		s.faces = map[*Font]*font.Face{}
		s.shaper.SetFontCacheSize(32)
	}
	c := &fontSelector{fonts: fonts}
	for _, f := range fonts {
		if s.faces[f] == nil {
			s.faces[f] = font.NewFace(f.shaping)
		}
		c.faces = append(c.faces, s.faces[f])
	}
	return c
}

func (s *Layouter) shape(line string, choose *fontSelector) (paragraph, error) {
	p := paragraph{text: []rune(line), direction: direction(line)}
	if len(p.text) == 0 {
		return p, nil
	}
	choose.last = nil
	inputs := s.segmenter.Split(shaping.Input{Text: p.text, RunEnd: len(p.text), Direction: p.direction,
		Size: fixed.I(unitsPerEm), Language: anyLanguage}, choose)
	for _, in := range inputs {
		out := s.shaper.Shape(in)
		for _, g := range out.Glyphs {
			if g.GlyphID == 0 {
				return p, missingError(p.text[g.TextIndex()])
			}
		}
		p.runs = append(p.runs, out)
	}
	return p, nil
}

// direction is that of the first letter that has one.
func direction(line string) di.Direction {
	for _, c := range line {
		switch p, _ := bidi.LookupRune(c); p.Class() {
		case bidi.R, bidi.AL:
			return di.DirectionRTL
		case bidi.L:
			return di.DirectionLTR
		}
	}
	return di.DirectionLTR
}

// line is one line of glyph runs from left to right, with the text it belongs to.
type line struct {
	text  []rune
	runs  []shaping.Output
	width float64 // at size 1
}

// fit finds the largest size, and the fewest lines, that fit.
func (s *Layouter) fit(all []paragraph, style Style, box Box) ([]line, float64, bool) {
	lines := s.wrap(all, math.MaxInt32>>7)
	widest := slices.MaxFunc(lines, func(a, b line) int { return cmp.Compare(a.width, b.width) }).width
	size := min(style.Size, box.H/(float64(len(lines))*style.Leading))
	if widest > 0 {
		size = min(size, box.W/widest)
	}
	if size >= style.MinSize && (!style.WrapFirst || size >= style.Size) {
		return lines, math.Floor(size*1000) / 1000, true
	}
	for size = style.Size; size >= style.MinSize-1e-9; size -= sizeStep {
		lines := s.wrap(all, box.W/size)
		if style.Lines > 0 && len(lines) > max(style.Lines, len(all)) || float64(len(lines))*style.Leading*size > box.H+1e-6 {
			continue
		}
		if !slices.ContainsFunc(lines, func(l line) bool { return l.width*size > box.W+1e-6 }) {
			return lines, size, true
		}
	}
	return nil, 0, false
}

// wrap breaks paragraphs into lines of a width, given for size 1.
func (s *Layouter) wrap(all []paragraph, width float64) []line {
	var lines []line
	for _, p := range all {
		if len(p.runs) == 0 {
			lines = append(lines, line{})
			continue
		}
		runs := slices.Clone(p.runs)
		for i := range runs { // the wrapper takes white space at the ends away
			runs[i].Glyphs = slices.Clone(runs[i].Glyphs)
		}
		wrapped, _ := s.wrapper.WrapParagraphF(shaping.WrapConfig{Direction: p.direction, BreakPolicy: shaping.Never},
			fixed.Int26_6(min(width*unitsPerEm, math.MaxInt32>>8)*64), p.text, shaping.NewSliceIterator(runs))
		for _, w := range wrapped {
			l := line{text: p.text, runs: slices.Clone(w)}
			slices.SortStableFunc(l.runs, func(a, b shaping.Output) int { return cmp.Compare(a.VisualIndex, b.VisualIndex) })
			for _, run := range l.runs {
				for _, g := range run.Glyphs {
					l.width += toSize(g.Advance)
				}
			}
			lines = append(lines, l)
		}
	}
	return lines
}

// toSize is a shaped length in parts of the size.
func toSize(x fixed.Int26_6) float64 { return float64(x) / 64 / unitsPerEm }

// place puts lines into their box.
func place(lines []line, size float64, style Style, box Box, choose *fontSelector) []pdf.Text {
	lead := style.Leading * size
	top := box.Y + alignOffset(style.Vertical, box.H-lead*float64(len(lines)))
	var texts []pdf.Text
	for i, l := range lines {
		x := box.X + alignOffset(style.Horizontal, box.W-l.width*size)
		// The letters stand so that what rises above the line and what hangs
		// below it share the room that the line has.
		y := top + lead*float64(i) + lead/2 + 0.35*size
		for _, run := range l.runs {
			t := pdf.Text{Font: choose.font(run.Face).pdf, Size: size, X: x, Y: y, Colour: style.Colour}
			t.Glyphs = glyphs(run, l.text)
			texts = append(texts, t)
			for _, g := range run.Glyphs {
				x += toSize(g.Advance) * size
			}
		}
	}
	return texts
}

// glyphs are those of a run, each with what it says. Not all readers know what to do with a
// glyph that says several letters: in a text from right to left, which they turn around, and
// where one of the letters is a mark, which has no width for them. Such letters get blank
// glyphs of their own.
func glyphs(run shaping.Output, text []rune) []pdf.Glyph {
	all := make([]pdf.Glyph, 0, len(run.Glyphs)+8)
	for from := 0; from < len(run.Glyphs); {
		first := run.Glyphs[from]
		letters := text[first.TextIndex() : first.TextIndex()+first.RunesCount()]
		rtl := run.Direction == di.DirectionRTL
		alone := letters
		if rtl || hasMark(letters) && !repeats(letters) {
			alone = letters[:1]
		}
		if rtl {
			for _, c := range slices.Backward(letters[1:]) {
				all = append(all, pdf.Glyph{Blank: true, Text: string(c)})
			}
		}
		says := string(alone)
		for ; from < len(run.Glyphs) && run.Glyphs[from].TextIndex() == first.TextIndex(); from++ {
			g := run.Glyphs[from]
			all = append(all, pdf.Glyph{ID: uint16(g.GlyphID), Advance: toSize(g.Advance), DX: toSize(g.XOffset), DY: toSize(g.YOffset), Text: says})
			says = ""
		}
		if !rtl {
			for _, c := range letters[len(alone):] {
				all = append(all, pdf.Glyph{Blank: true, Text: string(c)})
			}
		}
	}
	return all
}

func hasMark(letters []rune) bool {
	return slices.ContainsFunc(letters, func(c rune) bool { return unicode.In(c, unicode.M) })
}

// repeats reports whether a letter comes twice. Readers drop one of two equal letters that
// stand in the same place.
func repeats(letters []rune) bool {
	for i, c := range letters {
		if slices.Contains(letters[:i], c) {
			return true
		}
	}
	return false
}

func alignOffset(a Align, room float64) float64 { return room * float64(a) / 2 }
