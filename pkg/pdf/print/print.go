// Package print writes rows of glyphs as objects of a PDF: a drawing, and of
// each font the glyphs that it shows (ISO 32000-1, 9.6 to 9.9).
package print

import (
	"math"
	"strconv"

	"github.com/vecctl/vecctl/pkg/pdf/revision"
	"github.com/vecctl/vecctl/pkg/pdf/syntax"
	"github.com/vecctl/vecctl/pkg/pdf/typeface"
)

// Text is a row of glyphs of one font.
type Text struct {
	Face   *typeface.Face
	Size   float64  // points
	X, Y   float64  // where the first glyph stands on its line, in points from the page's top left corner
	Colour [3]uint8 // red, green, blue
	Glyphs []Glyph  // from left to right
	Says   string   // the text in reading order; empty: what its glyphs say
}

// Glyph is one of a Text. Its lengths are parts of the font's size.
type Glyph struct {
	ID      uint16
	Advance float64 // to the next glyph
	DX, DY  float64 // its place relative to where it would stand, to the right and up
	Says    string  // what it stands for; empty where another glyph says it
}

// Job is one drawing.
type Job struct {
	*revision.Writer
	Deflate       func([]byte) ([]byte, error)
	Width, Height float64 // of the page, in points
	faces         []*face
	drawing       []byte
}

// Write writes the texts as a Form XObject in the reader's coordinates, with
// the origin at the page's bottom left corner.
func (j *Job) Write(texts []Text) (form syntax.Ref, err error) {
	all, err := j.WriteAll([][]Text{texts})
	if err != nil {
		return form, err
	}
	return all[0], nil
}

// WriteAll writes a Form XObject for the texts of each page. They share their
// fonts.
func (j *Job) WriteAll(pages [][]Text) ([]syntax.Ref, error) {
	drawings := make([][]byte, len(pages))
	for i, texts := range pages {
		j.drawing = nil
		for _, t := range texts {
			j.draw(t)
		}
		drawings[i] = j.drawing
	}
	dict, err := j.dictionary()
	if err != nil {
		return nil, err
	}
	forms := make([]syntax.Ref, len(pages))
	for i, drawing := range drawings {
		data, err := j.Deflate(drawing)
		if err != nil {
			return nil, err
		}
		forms[i] = j.New()
		if err := j.Stream(forms[i], dict, data); err != nil {
			return nil, err
		}
	}
	return forms, nil
}

// dictionary writes the fonts, and returns the entries of every form.
func (j *Job) dictionary() ([]byte, error) {
	dict := []byte("/Subtype/Form/BBox[0 0 ")
	dict = syntax.AppendReal(dict, j.Width)
	dict = append(dict, ' ')
	dict = syntax.AppendReal(dict, j.Height)
	dict = append(dict, "]/Resources<</Font<<"...)
	for i, f := range j.faces {
		ref, err := j.embed(f)
		if err != nil {
			return nil, err
		}
		dict = append(dict, "/F"...)
		dict = strconv.AppendInt(dict, int64(i), 10)
		dict = append(dict, ' ')
		dict = syntax.AppendRef(dict, ref)
	}
	return append(dict, ">>>>/Filter/FlateDecode"...), nil
}

// face numbers the glyphs that are shown of a font.
type face struct {
	*typeface.Face
	glyphs []uint16 // by their new numbers
	number map[uint16]uint16
	says   []string
}

func (j *Job) face(f *typeface.Face) (*face, int) {
	for i, have := range j.faces {
		if have.Face == f {
			return have, i
		}
	}
	x := &face{Face: f, glyphs: []uint16{0}, number: map[uint16]uint16{0: 0}, says: []string{""}}
	j.faces = append(j.faces, x)
	return x, len(j.faces) - 1
}

func (f *face) use(g Glyph) uint16 {
	n, ok := f.number[g.ID]
	if !ok {
		n = uint16(len(f.glyphs))
		f.number[g.ID] = n
		f.glyphs, f.says = append(f.glyphs, g.ID), append(f.says, "")
	}
	if f.says[n] == "" {
		f.says[n] = g.Says
	}
	return n
}

// width is a glyph's advance in thousandths, as the font's dictionary says it.
func (f *face) width(g uint16) float64 {
	return math.Round(float64(f.Advance(g)) * 1000 / float64(f.UnitsPerEm))
}

func (j *Job) draw(t Text) {
	f, n := j.face(t.Face)
	b := j.drawing
	if t.Says != "" {
		b = append(b, "/Span<</ActualText"...)
		b = syntax.AppendHex(b, syntax.Text(t.Says))
		b = append(b, ">>BDC "...)
	}
	b = append(b, "BT"...)
	for _, c := range t.Colour {
		b = append(b, ' ')
		b = syntax.AppendReal(b, float64(c)/255)
	}
	b = append(b, " rg/F"...)
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, ' ')
	b = syntax.AppendReal(b, t.Size)
	b = append(b, " Tf "...)
	b = syntax.AppendReal(b, t.X)
	b = append(b, ' ')
	b = syntax.AppendReal(b, j.Height-t.Y)
	b = append(b, " Td["...)
	rise, owed := 0.0, 0.0 // thousandths that the pen is behind where it should be
	for _, g := range t.Glyphs {
		if dy := math.Round(g.DY*1000) / 1000; dy != rise {
			b = append(b, "]TJ "...)
			b = syntax.AppendReal(b, dy*t.Size)
			b = append(b, " Ts["...)
			rise = dy
		}
		owed += g.DX * 1000
		if move := math.Round(owed); move != 0 {
			b = syntax.AppendReal(b, -move)
			owed -= move
		}
		id := f.use(g)
		b = syntax.AppendHex(b, []byte{byte(id >> 8), byte(id)})
		owed += (g.Advance-g.DX)*1000 - f.width(g.ID)
	}
	b = append(b, "]TJ"...)
	if rise != 0 {
		b = append(b, " 0 Ts"...)
	}
	b = append(b, " ET\n"...)
	if t.Says != "" {
		b = append(b, "EMC\n"...)
	}
	j.drawing = b
}
