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
	Fonts       []*Font // the first that has a character is taken for it
	Size, Least float64 // Least: what a text that is too long may shrink to
	Lines       int     // that it may be wrapped into then; 0: as many as fit
	Wraps       bool    // it is wrapped first, and shrinks only then: right for running text
	Leading     float64 // from line to line, in parts of the size
	Across      Align
	Down        Align
	Colour      [3]uint8
}

// Box is where a text goes, in points from the page's top left corner.
type Box struct{ X, Y, W, H float64 }

const (
	em      = 1000 // at which texts are shaped
	step    = 0.25 // points between the sizes that are tried
	maxText = 2000 // characters
)

// anyLanguage is fixed, so that a machine's own settings do not matter.
var anyLanguage = language.NewLanguage("en")

// Setter sets texts. It serves one goroutine at a time.
type Setter struct {
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

// Set fits a text into a box: in its size on one line if it can, else smaller,
// else on more lines. What fits in no way, and a character that no font has, is
// an error that goes on from the text's name.
func (s *Setter) Set(text string, style Style, box Box) (_ []pdf.Text, err error) {
	// What the shaping library cannot bear is an error of this text alone.
	defer func() {
		if p := recover(); p != nil {
			*s = Setter{}
			err = fault.Newf(fault.Invalid, "cannot be set: %.40q", text)
		}
	}()
	if text = clean(text); text == "" {
		return nil, nil
	}
	if len([]rune(text)) > maxText {
		return nil, fault.Newf(fault.Invalid, "has more than %d characters", maxText)
	}
	choose := s.chooser(style.Fonts)
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
			text, box.W*25.4/72, box.H*25.4/72, style.Least)
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

func (s *Setter) chooser(fonts []*Font) *chooser {
	if s.faces == nil {
		s.faces = map[*Font]*font.Face{}
		s.shaper.SetFontCacheSize(32)
	}
	c := &chooser{fonts: fonts}
	for _, f := range fonts {
		if s.faces[f] == nil {
			s.faces[f] = font.NewFace(f.shape)
		}
		c.faces = append(c.faces, s.faces[f])
	}
	return c
}

func (s *Setter) shape(line string, choose *chooser) (paragraph, error) {
	p := paragraph{text: []rune(line), direction: direction(line)}
	if len(p.text) == 0 {
		return p, nil
	}
	choose.last = nil
	inputs := s.segmenter.Split(shaping.Input{Text: p.text, RunEnd: len(p.text), Direction: p.direction,
		Size: fixed.I(em), Language: anyLanguage}, choose)
	for _, in := range inputs {
		out := s.shaper.Shape(in)
		for _, g := range out.Glyphs {
			if g.GlyphID == 0 {
				return p, missing(p.text[g.TextIndex()])
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
func (s *Setter) fit(all []paragraph, style Style, box Box) ([]line, float64, bool) {
	lines := s.wrap(all, math.MaxInt32>>7)
	widest := slices.MaxFunc(lines, func(a, b line) int { return cmp.Compare(a.width, b.width) }).width
	size := min(style.Size, box.H/(float64(len(lines))*style.Leading))
	if widest > 0 {
		size = min(size, box.W/widest)
	}
	if size >= style.Least && (!style.Wraps || size >= style.Size) {
		return lines, math.Floor(size*1000) / 1000, true
	}
	for size = style.Size; size >= style.Least-1e-9; size -= step {
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
func (s *Setter) wrap(all []paragraph, width float64) []line {
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
			fixed.Int26_6(min(width*em, math.MaxInt32>>8)*64), p.text, shaping.NewSliceIterator(runs))
		for _, w := range wrapped {
			l := line{text: p.text, runs: slices.Clone(w)}
			slices.SortStableFunc(l.runs, func(a, b shaping.Output) int { return cmp.Compare(a.VisualIndex, b.VisualIndex) })
			for _, run := range l.runs {
				for _, g := range run.Glyphs {
					l.width += length(g.Advance)
				}
			}
			lines = append(lines, l)
		}
	}
	return lines
}

// length is a shaped length in parts of the size.
func length(x fixed.Int26_6) float64 { return float64(x) / 64 / em }

// place puts lines into their box.
func place(lines []line, size float64, style Style, box Box, choose *chooser) []pdf.Text {
	lead := style.Leading * size
	top := box.Y + aligned(style.Down, box.H-lead*float64(len(lines)))
	var texts []pdf.Text
	for i, l := range lines {
		x := box.X + aligned(style.Across, box.W-l.width*size)
		// The letters stand so that what rises above the line and what hangs
		// below it share the room that the line has.
		y := top + lead*float64(i) + lead/2 + 0.35*size
		for _, run := range l.runs {
			t := pdf.Text{Face: choose.font(run.Face).face, Size: size, X: x, Y: y, Colour: style.Colour}
			// Readers turn a text from right to left around, and would turn around
			// what says it as well.
			if run.Direction == di.DirectionLTR {
				t.Says = string(l.text[run.Runes.Offset : run.Runes.Offset+run.Runes.Count])
			}
			said := -1
			for _, g := range run.Glyphs {
				glyph := pdf.Glyph{ID: uint16(g.GlyphID), Advance: length(g.Advance), DX: length(g.XOffset), DY: length(g.YOffset)}
				if at := g.TextIndex(); at != said {
					said = at
					glyph.Says = string(l.text[at : at+g.RunesCount()])
				}
				t.Glyphs = append(t.Glyphs, glyph)
				x += length(g.Advance) * size
			}
			texts = append(texts, t)
		}
	}
	return texts
}

func aligned(a Align, room float64) float64 { return room * float64(a) / 2 }
