// Package typeset sets texts of any script into boxes: it finds the font for
// each character, has the text shaped, and makes it fit.
package typeset

import (
	"bytes"
	"errors"
	"fmt"
	"unicode"

	"github.com/go-text/typesetting/font"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// Font is a TrueType font. It is safe for concurrent use.
type Font struct {
	name    string
	pdf     *pdf.Font
	shaping *font.Font
}

// ParseFont reads a font file. The error says what is wrong with it, without
// its name.
func ParseFont(name string, file []byte) (_ *Font, err error) {
	face, err := pdf.ParseFont(file)
	if err != nil {
		return nil, err
	}
	defer func() { // a damaged table is met when it is first looked into
		if p := recover(); p != nil {
			err = fmt.Errorf("it is damaged")
		}
	}()
	shape, err := font.ParseTTF(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("it is damaged (%w)", err)
	}
	return &Font{name: name, pdf: face, shaping: shape.Font}, nil
}

// Has reports whether the font holds a character.
func (f *Font) Has(c rune) bool {
	_, ok := f.shaping.NominalGlyph(c)
	return ok
}

// ErrMissing lies below the error of a text with a character that no font has.
var ErrMissing = errors.New("no font holds a character")

func missingError(c rune) error {
	return &fault.Error{Kind: fault.Invalid, Err: ErrMissing,
		Message: fmt.Sprintf("has the character %q (U+%04X), which none of its fonts holds; add a font with it to the template", c, c)}
}

// fontSelector finds the font for a character: the first that has it. It serves one
// goroutine.
type fontSelector struct {
	fonts []*Font
	faces []*font.Face
	last  *font.Face
}

// ResolveFace is asked by the shaping library.
func (c *fontSelector) ResolveFace(r rune) *font.Face {
	if c.last != nil && unicode.In(r, unicode.M) {
		if _, ok := c.last.NominalGlyph(r); ok {
			return c.last // a mark stays with its letter
		}
	}
	for _, f := range c.faces {
		if _, ok := f.NominalGlyph(r); ok {
			c.last = f
			return f
		}
	}
	c.last = c.faces[0]
	return c.last
}

func (c *fontSelector) font(face *font.Face) *Font {
	for i, f := range c.faces {
		if f == face {
			return c.fonts[i]
		}
	}
	return c.fonts[0]
}
