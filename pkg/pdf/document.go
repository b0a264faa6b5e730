package pdf

import (
	"bytes"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/draw"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Shape is a line or a shade on a page.
type Shape = draw.Shape

// Page is one page of a document.
type Page struct {
	Shapes []Shape
	Texts  []Text // above the shapes
}

// Document is a document of many pages of one size, in points.
type Document struct {
	Width, Height float64
	Title         string
	Language      string // of its words, such as "en"
	Pages         []Page // one at least
}

// Write writes the document. Its pages share their fonts. The same document always
// gives the same bytes.
func (b Document) Write(w io.Writer) error {
	shapes, texts := make([][]Shape, len(b.Pages)), make([][]Text, len(b.Pages))
	for i, leaf := range b.Pages {
		shapes[i], texts[i] = leaf.Shapes, leaf.Texts
	}
	var base bytes.Buffer
	if err := draw.WritePages(&base, b.Width, b.Height, b.Title, b.Language, shapes); err != nil {
		return err
	}
	f, err := xref.Open(bytes.NewReader(base.Bytes()), int64(base.Len()))
	if err != nil {
		return err
	}
	d := newScratch()
	if err := d.w.Start(f, nil, nil); err != nil {
		return err
	}
	job := draw.Renderer{Writer: &d.w, Deflate: d.deflate, Width: b.Width, Height: b.Height}
	forms, err := job.WriteAll(texts)
	if err != nil {
		return err
	}
	last := updateWriter{scratch: d, w: &d.w}
	for i, form := range forms {
		st, err := analyze(f, i+1, true)
		if err != nil {
			return err
		}
		last = updateWriter{analysis: st, scratch: d, w: &d.w, inContent: true, form: form, pageRef: st.page.Ref, matrix: stamp.Layout{}.Matrix(st.page)}
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
