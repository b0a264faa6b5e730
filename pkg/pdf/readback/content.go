package readback

import (
	"bytes"
	"io"
	"strconv"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf/acroform"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const maxDrawing = 1 << 20

// CheckContent reads the modules back from the drawing's operators and compares them
// with those of a code that says want. What else lies on the page it does not
// see.
func CheckContent(r io.ReaderAt, size int64, at Place, want string) error {
	var codes qr.Encoder
	code, err := codes.Encode(want)
	if err != nil {
		return err
	}
	f, err := xref.Open(r, size)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := page.Find(f, at.Page)
	if err != nil {
		return err
	}
	form, ok := findDrawing(f, p)
	if !ok {
		return reject.New(reject.Damaged, "The page draws no code")
	}
	content, err := f.Inflate(form, maxDrawing)
	if err != nil {
		return err
	}
	if at.Modules != code.Size || !equal(rectangles(content, code.Size), code) {
		return fault.Newf(fault.Invalid, "The code on the page does not say %.200q.", want)
	}
	return nil
}

// findDrawing finds the form that the page's last content stream paints, or that
// is the appearance of its last signature field.
func findDrawing(f *xref.File, p *page.Page) (xref.Value, bool) {
	var last xref.Value
	for s := range f.Elems(f.Get(p.Value, "Contents")) {
		last = s
	}
	if last.IsStream() {
		b, _ := f.Inflate(last, maxDrawing) // a damaged one paints nothing of ours
		words := bytes.Fields(b)
		if n := len(words); n > 0 && string(words[n-1]) == "EMC" {
			words = words[:n-1] // the drawing is marked content of a tagged page
		}
		if len(words) > 3 && string(words[len(words)-2]) == "Do" {
			name := object.Object(words[len(words)-3]).Text()
			if v := f.Get(f.Get(p.Resources, "XObject"), name); v.IsStream() {
				return v, true
			}
		}
	}
	var form xref.Value
	for s := range acroform.Signatures(f) {
		if ref, _ := s.Field.Get("P").Ref(); ref == p.Ref {
			form = f.Get(f.Get(s.Field, "AP"), "N")
		}
	}
	return form, form.IsStream()
}

// rectangles collects what the path of modules darkens. The first path is the
// white ground.
func rectangles(content []byte, size int) *qr.Code {
	code := qr.NewCode(size)
	var numbers []float64
	ground := true
	for word := range bytes.FieldsSeq(content) {
		if n, err := strconv.ParseFloat(string(word), 64); err == nil {
			numbers = append(numbers, n)
			continue
		}
		if n := len(numbers); string(word) == "re" && n >= 4 && !ground {
			fillRect(code, numbers[n-4:])
		}
		if string(word) == "f" {
			ground = false
		}
		numbers = numbers[:0]
	}
	return code
}

// fillRect takes a rectangle in units of modules, whose origin is the bottom
// left corner.
func fillRect(code *qr.Code, r []float64) {
	x0, x1 := min(r[0], r[0]+r[2]), max(r[0], r[0]+r[2])
	y0, y1 := min(r[1], r[1]+r[3]), max(r[1], r[1]+r[3])
	for y := range code.Size {
		for x := range code.Size {
			cx, cy := float64(x)+0.5, float64(code.Size-1-y)+0.5
			if cx > x0 && cx < x1 && cy > y0 && cy < y1 {
				code.SetDark(x, y)
			}
		}
	}
}

func equal(a, b *qr.Code) bool {
	if a.Size != b.Size {
		return false
	}
	for y := range a.Size {
		for x := range a.Size {
			if a.Dark(x, y) != b.Dark(x, y) {
				return false
			}
		}
	}
	return true
}
