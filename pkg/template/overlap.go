package template

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// printed is a field's text where it stands on the page.
type printed struct {
	name  string
	glyph []pdf.Ink
	all   pdf.Ink // around the glyphs
}

func newPrinted(name string, texts []pdf.Text) printed {
	p := printed{name: name}
	for _, t := range texts {
		p.glyph = t.AppendInk(p.glyph)
	}
	for i, g := range p.glyph {
		if i == 0 {
			p.all = g
			continue
		}
		p.all = pdf.Ink{X0: min(p.all.X0, g.X0), Y0: min(p.all.Y0, g.Y0), X1: max(p.all.X1, g.X1), Y1: max(p.all.Y1, g.Y1)}
	}
	return p
}

// meets reports whether a glyph of the text meets a rectangle.
func (p *printed) meets(r pdf.Ink) bool {
	return p.all.Meets(r) && slices.ContainsFunc(p.glyph, r.Meets)
}

func (p *printed) meetsText(o *printed) bool {
	return p.all.Meets(o.all) && slices.ContainsFunc(p.glyph, o.meets)
}

// surroundings are what texts must not meet: the code, the frame, and each other.
type surroundings struct {
	code  *pdf.Ink // nil: it goes where the page is free
	frame *pdf.Frame
	fixed []printed // the texts that are the same on all documents
}

// meeting says what a text meets of what is the same on all documents; "" is nothing.
func (s *surroundings) meeting(p *printed, besideFrame, apart bool) string {
	if len(p.glyph) == 0 {
		return ""
	}
	if s.code != nil && !apart && p.meets(*s.code) {
		return "the code"
	}
	if !besideFrame && slices.ContainsFunc(p.glyph, s.frame.Meets) {
		return "the frame"
	}
	for i := range s.fixed {
		if p.meetsText(&s.fixed[i]) {
			return s.fixed[i].name
		}
	}
	return ""
}

// checkOverlaps refuses texts that meet the code, the frame or each other. The code may lie
// elsewhere, apart from its place in the template.
func (t *Template) checkOverlaps(blocks []pdf.Block, apart bool) error {
	var all []printed
	for i, b := range blocks {
		f := &t.fields[i]
		if f.role == pdf.Artifact {
			continue // an ornament may lie under a text
		}
		p := newPrinted(f.name(), b.Texts)
		if what := t.around.meeting(&p, f.besideFrame, apart); what != "" {
			return overlapError(p.name, what)
		}
		for j := range all {
			if p.meetsText(&all[j]) {
				return overlapError(p.name, all[j].name)
			}
		}
		all = append(all, p)
	}
	return nil
}

func overlapError(name, what string) error {
	return fault.Newf(fault.Invalid, "%s would meet %s on the page; shorten it, or move the fields of the template apart", name, what)
}

// lookAround finds out what the texts of documents must not meet.
func (l *loader) lookAround(sheet *pdf.Background, fixed []field, blocks []pdf.Block) error {
	t := l.t
	code, known, err := sheet.CodeArea(t.Stamp)
	if err == nil && known {
		t.around.code = &code
	}
	if t.around.frame, err = sheet.Frame(); err != nil {
		return err
	}
	for i := range fixed {
		f := &fixed[i]
		if f.role == pdf.Artifact {
			continue
		}
		p := newPrinted(f.name(), blocks[i].Texts)
		if what := t.around.meeting(&p, f.isBeside(t.around.frame), false); what != "" {
			l.addError("%s", errorMessage(overlapError(p.name, what)))
		}
		t.around.fixed = append(t.around.fixed, p)
	}
	return nil
}

// isBeside reports whether nothing of the frame lies within the field's box.
func (f *field) isBeside(frame *pdf.Frame) bool {
	return !frame.Meets(pdf.Ink{X0: f.box.X, Y0: f.box.Y, X1: f.box.X + f.box.W, Y1: f.box.Y + f.box.H})
}

// Fit is how long the text of a field can be.
type Fit struct {
	Field   string `json:"field"`
	Letters int    `json:"letters"`         // that have room
	Meets   string `json:"meets,omitempty"` // what longer ones would meet; empty: they are refused as too long
}

// sampleWords are letters of usual widths, as names have them.
const sampleWords = "Maximiliane Wolfgang Amadeus Hohenberg Altmann "

// Fits says of each field with a column how many letters have room in it, set in words of a
// usual length, and what the longest ones would meet.
func (t *Template) Fits() []Fit {
	values := t.SampleRow()
	var all []Fit
	for i := range t.fields {
		f := &t.fields[i]
		column := ""
		for _, w := range f.segments {
			if w.column != "" && w.column != IssueDateColumn && w.column != expiryDateColumn && w.column != InstitutionColumn {
				column = w.column
			}
		}
		if column == "" || f.role == pdf.Artifact {
			continue
		}
		most := longest(func(n int) bool { return t.tryText(f, column, n, values) == nil })
		fit := Fit{Field: column, Letters: longest(func(n int) bool { return n <= most && t.tryMeeting(f, column, n, values) == "" })}
		if fit.Letters < most {
			fit.Meets = t.tryMeeting(f, column, fit.Letters+1, values)
		}
		all = append(all, fit)
	}
	return all
}

const mostLetters = 200 // that are tried

// longest finds the largest number that is still good, in steps of ever smaller size.
func longest(good func(n int) bool) int {
	n := 0
	for step := 128; step > 0; step /= 2 {
		if n+step <= mostLetters && good(n+step) {
			n += step
		}
	}
	return n
}

func (t *Template) tryText(f *field, column string, letters int, values map[string]string) error {
	_, err := t.layout([]field{*f}, withValue(values, column, letters))
	return err
}

// tryMeeting says what a text of so many letters meets.
func (t *Template) tryMeeting(f *field, column string, letters int, values map[string]string) string {
	blocks, err := t.layout([]field{*f}, withValue(values, column, letters))
	if err != nil || len(blocks) == 0 {
		return ""
	}
	p := newPrinted(f.name(), blocks[0].Texts)
	return t.around.meeting(&p, f.besideFrame, false)
}

func withValue(values map[string]string, column string, letters int) map[string]string {
	all := map[string]string{column: strings.Repeat(sampleWords, letters/len(sampleWords)+1)[:letters]}
	for key, value := range values {
		if key != column {
			all[key] = value
		}
	}
	return all
}

// String says the fit in words.
func (f Fit) String() string {
	if f.Meets != "" {
		return fmt.Sprintf("%s has room for %d letters: longer ones would meet %s", f.Field, f.Letters, f.Meets)
	}
	if f.Letters == mostLetters {
		return fmt.Sprintf("%s has room for %d letters and more", f.Field, f.Letters)
	}
	return fmt.Sprintf("%s has room for %d letters", f.Field, f.Letters)
}
