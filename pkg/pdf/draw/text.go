// Package draw writes what is seen on the pages of a PDF: lines and shades, rows of
// glyphs, and of each TrueType font the glyphs that they show (ISO 32000-1, 9.6 to 9.9).
package draw

import (
	"fmt"
	"math"
	"strconv"

	"github.com/vecctl/vecctl/pkg/pdf/incremental"
	"github.com/vecctl/vecctl/pkg/pdf/object"
)

// Text is a row of glyphs of one font.
type Text struct {
	Font   *Font
	Size   float64  // points
	X, Y   float64  // where the first glyph stands on its line, in points from the page's top left corner
	Colour [3]uint8 // red, green, blue
	Glyphs []Glyph  // from left to right
}

// Glyph is one of a Text. Its lengths are parts of the font's size.
type Glyph struct {
	ID      uint16
	Advance float64 // to the next glyph
	DX, DY  float64 // its place relative to where it would stand, to the right and up
	Text    string  // what it stands for; empty where it belongs to the glyph before it
	Blank   bool    // it shows nothing and takes no room, and has its text alone
}

// Block are texts that belong together, with what they are for a reader who listens.
type Block struct {
	Texts []Text
	Tag   string // the name of its structure element; empty: it is an artifact
	ID    int    // its number in the page's content, where it has a tag
}

// Begin are the operators that begin the block in a page's content; EMC ends it.
func (b Block) Begin() string {
	if b.Tag == "" {
		return "/Artifact BMC\n"
	}
	return fmt.Sprintf("/%s<</MCID %d>>BDC\n", b.Tag, b.ID)
}

// Renderer is one drawing.
type Renderer struct {
	*incremental.Writer
	Deflate       func([]byte) ([]byte, error)
	Width, Height float64 // of the page, in points
	Prefix        string  // of the names of fonts
	fonts         []*usedFont
	content       []byte
}

// WriteBlocks writes the fonts of blocks. It returns operators that draw the blocks in the
// reader's coordinates, and the entries of a dictionary of fonts that they need.
func (j *Renderer) WriteBlocks(blocks []Block) (content, fonts []byte, err error) {
	j.content = []byte{}
	for _, b := range blocks {
		if len(b.Texts) == 0 {
			continue
		}
		j.content = append(j.content, b.Begin()...)
		for _, t := range b.Texts {
			j.draw(t)
		}
		j.content = append(j.content, "EMC\n"...)
	}
	fonts, err = j.fontEntries()
	return j.content, fonts, err
}

// Write writes the texts as a Form XObject in the reader's coordinates, with
// the origin at the page's bottom left corner.
func (j *Renderer) Write(texts []Text) (form object.Ref, err error) {
	all, err := j.WriteAll([][]Text{texts})
	if err != nil {
		return form, err
	}
	return all[0], nil
}

// WriteAll writes a Form XObject for the texts of each page. They share their
// fonts.
func (j *Renderer) WriteAll(pages [][]Text) ([]object.Ref, error) {
	drawings := make([][]byte, len(pages))
	for i, texts := range pages {
		j.content = nil
		for _, t := range texts {
			j.draw(t)
		}
		drawings[i] = j.content
	}
	dict, err := j.resources()
	if err != nil {
		return nil, err
	}
	forms := make([]object.Ref, len(pages))
	for i, drawing := range drawings {
		data, err := j.Deflate(drawing)
		if err != nil {
			return nil, err
		}
		forms[i] = j.NewRef()
		if err := j.Stream(forms[i], dict, data); err != nil {
			return nil, err
		}
	}
	return forms, nil
}

// resources writes the fonts, and returns the entries of every form.
func (j *Renderer) resources() ([]byte, error) {
	dict := []byte("/Subtype/Form/BBox[0 0 ")
	dict = object.AppendReal(dict, j.Width)
	dict = append(dict, ' ')
	dict = object.AppendReal(dict, j.Height)
	dict = append(dict, "]/Resources<</Font<<"...)
	fonts, err := j.fontEntries()
	if err != nil {
		return nil, err
	}
	dict = append(dict, fonts...)
	return append(dict, ">>>>/Filter/FlateDecode"...), nil
}

// fontEntries writes the fonts, and returns their names with references to them.
func (j *Renderer) fontEntries() ([]byte, error) {
	var dict []byte
	for i, f := range j.fonts {
		ref, err := j.embed(f)
		if err != nil {
			return nil, err
		}
		dict = append(dict, "/"+j.Prefix+"F"...)
		dict = strconv.AppendInt(dict, int64(i), 10)
		dict = append(dict, ' ')
		dict = object.AppendRef(dict, ref)
	}
	return dict, nil
}

func (j *Renderer) font(f *Font) (*usedFont, int) {
	for i, have := range j.fonts {
		if have.Font == f {
			return have, i
		}
	}
	x := newUsedFont(f)
	j.fonts = append(j.fonts, x)
	return x, len(j.fonts) - 1
}

// draw appends a text. Glyphs that say something together are shown as one.
func (j *Renderer) draw(t Text) {
	f, n := j.font(t.Font)
	b := j.content
	b = append(b, "BT"...)
	for _, c := range t.Colour {
		b = append(b, ' ')
		b = object.AppendReal(b, float64(c)/255)
	}
	b = append(b, " rg/"+j.Prefix+"F"...)
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, ' ')
	b = object.AppendReal(b, t.Size)
	b = append(b, " Tf "...)
	b = object.AppendReal(b, t.X)
	b = append(b, ' ')
	b = object.AppendReal(b, j.Height-t.Y)
	b = append(b, " Td["...)
	rise, owed := 0.0, 0.0 // thousandths that the pen is behind where it should be
	for cluster := range clusters(t.Glyphs) {
		g := f.use(cluster)
		if dy := math.Round(g.dy*1000) / 1000; dy != rise {
			b = append(b, "]TJ "...)
			b = object.AppendReal(b, dy*t.Size)
			b = append(b, " Ts["...)
			rise = dy
		}
		owed += g.dx * 1000
		if move := math.Round(owed); move != 0 {
			b = object.AppendReal(b, -move)
			owed -= move
		}
		b = object.AppendHex(b, []byte{byte(g.id >> 8), byte(g.id)})
		owed += (g.advance-g.dx)*1000 - f.width(g.id)
	}
	b = append(b, "]TJ"...)
	if rise != 0 {
		b = append(b, " 0 Ts"...)
	}
	b = append(b, " ET\n"...)
	j.content = b
}
