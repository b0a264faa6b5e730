package pdf

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Limits of a contact sheet.
const (
	maxSheetBytes   = 96 << 20 // of what documents bring along
	maxSheetObjects = 20_000   // of one document
	maxSheetDepth   = 40       // of values in values
)

// ContactSheet is a PDF of the pages that get a code, several to a sheet, with the code
// in its place. Nothing on it is signed, and its codes are of no certificate.
type ContactSheet struct {
	title   string
	encoder qr.Encoder
	objects [][]byte
	known   map[[32]byte]object.Ref // streams that refer to nothing, by their content
	off     []object.Ref            // layers that are not shown
	cells   []sheetCell
	size    int
}

// sheetCell is one page on a sheet.
type sheetCell struct {
	form    object.Ref
	w, h    float64 // of the page, as a reader sees it
	label   string
	covered bool
}

// NewContactSheet begins a contact sheet; its title is printed on every sheet.
func NewContactSheet(title string) *ContactSheet {
	return &ContactSheet{title: title, known: map[[32]byte]object.Ref{}}
}

// ErrSheetFull says that the documents on a contact sheet are too large together.
var ErrSheetFull = fmt.Errorf("the documents are larger than %d MB together", maxSheetBytes>>20)

// Add adds the page of a document that gets a code. The label is printed below it, as
// far as its characters are those of ASCII. What the code covers is marked.
func (s *ContactSheet) Add(r io.ReaderAt, size int64, m Stamp, label string) error {
	if err := m.check(); err != nil {
		return err
	}
	format, err := sniff(r, size)
	if err != nil {
		return err
	}
	if format != FormatPDF {
		made, err := inspectImage(r, size, format)
		if err != nil {
			return err
		}
		if r, size, err = pageOf(r, size, made, true); err != nil {
			return err
		}
	}
	f, err := xref.Open(r, size)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := analyze(f, m.Page, true)
	if err != nil {
		return err
	}
	code, err := s.encoder.Encode(m.URL)
	if err != nil {
		return reject.Newf(reject.BadMark, "The link does not fit into a QR code (%v)", err)
	}
	g := &ground{analysis: st, r: r, size: size}
	layout, err := st.placeCode(m, code, g)
	if err != nil {
		return err
	}
	shown := g.shows(layout.Rect(st.page))
	drawn, err := stamp.Draw(nil, layout, code, m.Caption, stamp.Plain)
	if err != nil {
		return err
	}
	f.AllowPictures(maxSheetBytes)
	c := objectCopier{sheet: s, f: f, refs: map[object.Ref]object.Ref{}, hidden: page.ReadHiddenLayers(f)}
	form, err := c.pageForm(st, layout, drawn, shown.Covers())
	if err != nil {
		return err
	}
	w, h := st.page.VisibleSize()
	s.cells = append(s.cells, sheetCell{form: form, w: w, h: h, label: label, covered: shown.Covers()})
	return nil
}

func (s *ContactSheet) newRef() object.Ref {
	s.objects = append(s.objects, nil)
	return object.Ref{Num: uint32(len(s.objects))}
}

func (s *ContactSheet) set(ref object.Ref, body []byte) { s.objects[ref.Num-1] = body }

// addStream adds a stream; one that refers to nothing is kept once.
func (s *ContactSheet) addStream(ref object.Ref, dict, data []byte, leaf bool) (object.Ref, error) {
	body := fmt.Appendf(nil, "<<%s/Length %d>>\nstream\n", dict, len(data))
	body = append(append(body, data...), "\nendstream"...)
	var sum [32]byte
	if leaf {
		sum = sha256.Sum256(body)
		if known, ok := s.known[sum]; ok {
			return known, nil
		}
	}
	if s.size += len(body); s.size > maxSheetBytes {
		return ref, ErrSheetFull
	}
	if ref.Num == 0 {
		ref = s.newRef()
	}
	s.set(ref, body)
	if leaf {
		s.known[sum] = ref
	}
	return ref, nil
}

// objectCopier copies what a page refers to from its document.
type objectCopier struct {
	sheet  *ContactSheet
	f      *xref.File
	refs   map[object.Ref]object.Ref
	hidden page.HiddenLayers
}

// pageForm makes a form of a page as a reader sees it, with the code on it.
func (c *objectCopier) pageForm(st *analysis, l stamp.Layout, drawn []byte, covered bool) (object.Ref, error) {
	p := st.page
	var content []byte
	for _, o := range st.content.Streams {
		part, _ := c.f.Inflate(c.f.Resolve(p.Part(o)), maxSheetBytes) // of a damaged stream, what viewers see of it
		content = append(append(content, part...), '\n')
	}
	resources, err := c.value(p.Resources, 0)
	if err != nil {
		return object.Ref{}, err
	}
	if len(resources) == 0 || resources[0] != '<' {
		resources = []byte("<<>>")
	}
	inner := fmt.Appendf(nil, "/Type/XObject/Subtype/Form/BBox[%s]/Resources%s", numbers(p.Box.X0, p.Box.Y0, p.Box.X1, p.Box.Y1), resources)
	original, err := c.sheet.addStream(object.Ref{}, inner, content, false)
	if err != nil {
		return original, err
	}
	// From the page's own space to what a reader sees: the way that a code goes, turned round.
	seen := inverted(stamp.Layout{PageW: l.PageW, PageH: l.PageH}.Matrix(p))
	names := fmt.Appendf(nil, "/P %d 0 R", original.Num)
	draw := fmt.Appendf(nil, "q %s cm /P Do\n", numbers(seen[:]...))
	for i, a := range page.Appearances(c.f, p) {
		ref, err := c.reference(a.Form)
		if err != nil {
			return original, err
		}
		names = fmt.Appendf(names, "/A%d %d 0 R", i, ref.Num)
		draw = fmt.Appendf(draw, "q %s cm /A%d Do Q\n", numbers(a.Matrix[:]...), i)
	}
	draw = fmt.Appendf(draw, "Q q 1 0 0 1 %s cm\n%sQ\n", numbers(l.X, l.Y), drawn)
	if covered {
		const line = 2
		draw = fmt.Appendf(draw, "1 0 0 RG %d w %s re S\n", line, numbers(l.X, l.Y, l.W, l.H))
	}
	outer := fmt.Appendf(nil, "/Type/XObject/Subtype/Form/BBox[0 0 %s]/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>/XObject<<%s>>>>",
		numbers(l.PageW, l.PageH), names)
	return c.sheet.addStream(object.Ref{}, outer, draw, false)
}

func inverted(m [6]float64) [6]float64 {
	det := m[0]*m[3] - m[1]*m[2]
	a, b, c, d := m[3]/det, -m[1]/det, -m[2]/det, m[0]/det
	return [6]float64{a, b, c, d, -(m[4]*a + m[5]*c), -(m[4]*b + m[5]*d)}
}

// numbers writes numbers with spaces between them.
func numbers(all ...float64) string {
	var b []byte
	for i, n := range all {
		if i > 0 {
			b = append(b, ' ')
		}
		b = object.AppendReal(b, n)
	}
	return string(b)
}

// value writes a value for the sheet's file.
func (c *objectCopier) value(v xref.Value, depth int) ([]byte, error) {
	if depth > maxSheetDepth {
		return []byte("null"), nil
	}
	var b []byte
	switch v.Kind() {
	case object.Null, object.Keyword:
		return []byte("null"), nil
	case object.Reference:
		ref, err := c.reference(v)
		return object.AppendRef(nil, ref), err
	case object.String:
		return object.AppendHex(nil, c.f.String(v)), nil
	case object.Array:
		b = append(b, '[')
		for e := range v.Parts() {
			one, err := c.value(e, depth+1)
			if err != nil {
				return nil, err
			}
			b = append(append(b, ' '), one...)
		}
		return append(b, ']'), nil
	case object.Dict:
		b = append(b, "<<"...)
		b, err := c.entries(b, v, depth)
		return append(b, ">>"...), err
	case object.Bool, object.Number, object.Name:
	}
	return append(b, v.Object...), nil
}

// leadOut are entries that lead out of what a page shows.
var leadOut = []string{"Parent", "P", "StructParent", "StructParents", "Metadata", "PieceInfo", "OPI", "Length"}

func (c *objectCopier) entries(b []byte, v xref.Value, depth int) ([]byte, error) {
	for key, entry := range v.Object.Pairs() {
		if slices.ContainsFunc(leadOut, func(name string) bool { return key.Is(name) }) {
			continue
		}
		one, err := c.value(v.Part(entry), depth+1)
		if err != nil {
			return b, err
		}
		b = append(append(append(b, key...), ' '), one...)
	}
	return b, nil
}

// reference copies what a reference leads to, once.
func (c *objectCopier) reference(v xref.Value) (object.Ref, error) {
	ref, _ := v.Ref()
	if to, ok := c.refs[ref]; ok {
		return to, nil
	}
	if len(c.refs) > maxSheetObjects {
		return object.Ref{}, ErrSheetFull
	}
	to := c.sheet.newRef()
	c.refs[ref] = to
	target := c.f.Resolve(v)
	if target.IsStream() {
		return c.stream(ref, to, target)
	}
	body, err := c.value(target, 0)
	c.sheet.set(to, body)
	if c.f.Get(target, "Type").Is("OCG") && c.hidden.IsOff(ref) {
		c.sheet.off = append(c.sheet.off, to)
	}
	return to, err
}

func (c *objectCopier) stream(from, to object.Ref, v xref.Value) (object.Ref, error) {
	before := len(c.refs)
	dict, err := c.entries(nil, v, 0)
	if err != nil {
		return to, err
	}
	data, err := c.f.Decrypted(v, maxSheetBytes)
	if err != nil {
		data = nil // a damaged stream shows nothing
	}
	placed, err := c.sheet.addStream(to, dict, data, len(c.refs) == before)
	if placed != to {
		c.refs[from] = placed
		c.sheet.set(to, []byte("null"))
	}
	return placed, err
}

// Sheets in points: A4, with two columns of three pages.
const (
	sheetW, sheetH  = 595.0, 842.0
	sheetMargin     = 30.0
	sheetColumns    = 2
	sheetRows       = 3
	sheetHead       = 24.0
	sheetLabel      = 26.0
	sheetGap        = 12.0
	sheetLetterSize = 8.0
)

// Len is how many pages were added.
func (s *ContactSheet) Len() int { return len(s.cells) }

// Write writes the sheets.
func (s *ContactSheet) Write(w io.Writer) error {
	const perSheet = sheetColumns * sheetRows
	pages, font := s.newRef(), s.newRef()
	s.set(font, []byte("<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"))
	var kids []byte
	for i := 0; i == 0 || i < len(s.cells); i += perSheet {
		kid, err := s.sheet(s.cells[i:min(len(s.cells), i+perSheet)], pages, font)
		if err != nil {
			return err
		}
		kids = append(object.AppendRef(kids, kid), ' ')
	}
	s.set(pages, fmt.Appendf(nil, "<</Type/Pages/Count %d/Kids[%s]>>", max(1, (len(s.cells)+perSheet-1)/perSheet), kids))
	catalog := s.newRef()
	layers := ""
	if len(s.off) > 0 {
		var list []byte
		for _, ref := range s.off {
			list = append(object.AppendRef(list, ref), ' ')
		}
		layers = fmt.Sprintf("/OCProperties<</OCGs[%s]/D<</OFF[%s]>>>>", list, list)
	}
	s.set(catalog, fmt.Appendf(nil, "<</Type/Catalog/Pages %d 0 R%s>>", pages.Num, layers))
	return s.writeFile(w, catalog)
}

// sheet makes one sheet of some pages.
func (s *ContactSheet) sheet(cells []sheetCell, pages, font object.Ref) (object.Ref, error) {
	const cellW = (sheetW - 2*sheetMargin - (sheetColumns-1)*sheetGap) / sheetColumns
	const cellH = (sheetH - 2*sheetMargin - sheetHead) / sheetRows
	b := appendLine(nil, sheetMargin, sheetH-sheetMargin-sheetLetterSize, 10, s.title)
	var names []byte
	for i, c := range cells {
		k := min(cellW/c.w, (cellH-sheetLabel)/c.h)
		x := sheetMargin + float64(i%sheetColumns)*(cellW+sheetGap)
		y := sheetH - sheetMargin - sheetHead - float64(i/sheetColumns)*cellH - k*c.h
		names = fmt.Appendf(names, "/C%d %d 0 R", i, c.form.Num)
		b = fmt.Appendf(b, "q %s cm /C%d Do Q .6 G .5 w %s re S\n", numbers(k, 0, 0, k, x, y), i, numbers(x, y, k*c.w, k*c.h))
		if c.covered {
			b = append(b, ".8 0 0 rg "...)
		}
		b = append(appendLine(b, x, y-1.4*sheetLetterSize, sheetLetterSize, c.label), "0 g\n"...)
	}
	content, err := s.addStream(object.Ref{}, nil, b, false)
	if err != nil {
		return content, err
	}
	ref := s.newRef()
	s.set(ref, fmt.Appendf(nil, "<</Type/Page/Parent %d 0 R/MediaBox[0 0 %s]/Contents %d 0 R/Resources<</Font<</F %d 0 R>>/XObject<<%s>>>>>>",
		pages.Num, numbers(sheetW, sheetH), content.Num, font.Num, names))
	return ref, nil
}

// appendLine appends a line of text, as long as it fits on half a sheet.
func appendLine(b []byte, x, y, size float64, text string) []byte {
	const most = 500.0
	for stamp.Width(text)*size > most/sheetColumns && len(text) > 4 && size < 10 {
		text = strings.TrimSuffix(text[:len(text)-4], ".") + "..."
	}
	b = fmt.Appendf(b, "BT /F %s Tf %s Td ", numbers(size), numbers(x, y))
	return append(object.AppendString(b, []byte(text)), " Tj ET\n"...)
}

// writeFile writes the objects with their cross-reference.
func (s *ContactSheet) writeFile(w io.Writer, catalog object.Ref) error {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	at := make([]int, len(s.objects))
	for i, body := range s.objects {
		if body == nil {
			body = []byte("null")
		}
		at[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, body)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, catalog.Num, start)
	_, err := w.Write(b.Bytes())
	return err
}
