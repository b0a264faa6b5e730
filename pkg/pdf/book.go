package pdf

import (
	"bytes"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/mark"
	"github.com/vecctl/vecctl/pkg/pdf/paper"
	"github.com/vecctl/vecctl/pkg/pdf/print"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Shape is a line or a shade on a page.
type Shape = paper.Shape

// Leaf is one page of a book.
type Leaf struct {
	Shapes []Shape
	Texts  []Text // above the shapes
}

// Book is a document of many pages of one size, in points.
type Book struct {
	Width, Height float64
	Title         string
	Language      string // of its words, such as "en"
	Leaves        []Leaf // one at least
}

// Write writes the document. Its pages share their fonts. The same book always
// gives the same bytes.
func (b Book) Write(w io.Writer) error {
	shapes, texts := make([][]Shape, len(b.Leaves)), make([][]Text, len(b.Leaves))
	for i, leaf := range b.Leaves {
		shapes[i], texts[i] = leaf.Shapes, leaf.Texts
	}
	var base bytes.Buffer
	if err := paper.Write(&base, b.Width, b.Height, b.Title, b.Language, shapes); err != nil {
		return err
	}
	f, err := xref.Open(bytes.NewReader(base.Bytes()), int64(base.Len()))
	if err != nil {
		return err
	}
	d := newDesk()
	if err := d.w.Start(f, nil, nil); err != nil {
		return err
	}
	job := print.Job{Writer: &d.w, Deflate: d.deflate, Width: b.Width, Height: b.Height}
	forms, err := job.WriteAll(texts)
	if err != nil {
		return err
	}
	last := update{desk: d, w: &d.w}
	for i, form := range forms {
		st, err := examine(f, i+1, true)
		if err != nil {
			return err
		}
		last = update{study: st, desk: d, w: &d.w, drawn: true, form: form, pageRef: st.page.Ref, matrix: mark.Layout{}.Matrix(st.page)}
		for _, step := range []func() error{last.writeContent, last.writePage} {
			if err := step(); err != nil {
				return err
			}
		}
	}
	if err := d.w.Finish(last.fileID()); err != nil {
		return err
	}
	for _, part := range [][]byte{base.Bytes(), d.w.Bytes} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}
