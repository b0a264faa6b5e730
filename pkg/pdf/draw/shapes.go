package draw

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-pdf/fpdf"

	"github.com/vecctl/vecctl/pkg/pdf/object"
)

// Shape is a rectangle, or a line where it has no height or no width. Lengths are
// points from the page's top left corner.
type Shape struct {
	X, Y, W, H float64
	Line       float64 // how thick its outline is; 0 for a shade without one
	Grey       uint8   // of the line, or of the shade: 0 is black
}

// WritePages makes a document with a page for each list of shapes. The same shapes
// always give the same bytes.
func WritePages(w io.Writer, width, height float64, title, language string, pages [][]Shape) error {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: width, Ht: height}})
	doc.SetCreationDate(time.Unix(0, 0).UTC())
	doc.SetModificationDate(time.Unix(0, 0).UTC())
	doc.SetCatalogSort(true)
	doc.SetProducer("vecctl", false)
	// Encoded here, since fpdf knows neither damaged texts nor characters beyond U+FFFF.
	doc.SetTitle(string(object.Text(strings.ToValidUTF8(title, " "))), false)
	doc.SetLang(language)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	for _, shapes := range pages {
		doc.AddPage()
		for _, s := range shapes {
			drawShape(doc, s)
		}
	}
	var out bytes.Buffer
	if err := doc.Output(&out); err != nil {
		return fmt.Errorf("making pages: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("making pages: %w", err)
	}
	return nil
}

func drawShape(doc *fpdf.Fpdf, s Shape) {
	grey := int(s.Grey)
	switch {
	case s.Line == 0:
		doc.SetFillColor(grey, grey, grey)
		doc.Rect(s.X, s.Y, s.W, s.H, "F")
	case s.W == 0 || s.H == 0:
		doc.SetDrawColor(grey, grey, grey)
		doc.SetLineWidth(s.Line)
		doc.Line(s.X, s.Y, s.X+s.W, s.Y+s.H)
	default:
		doc.SetDrawColor(grey, grey, grey)
		doc.SetLineWidth(s.Line)
		doc.Rect(s.X, s.Y, s.W, s.H, "D")
	}
}
