// Package text reads the words that a document's pages show (ISO 32000-1, 9.10):
// enough to find a name in them, not to lay them out. Fonts are read that say
// which letters their codes are, by their encoding or by a ToUnicode map; text in
// other fonts is counted as unreadable.
package text

import (
	"math"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxText    = 256 << 10 // bytes of text read of one document
	maxData    = 16 << 20  // of content gone through
	maxTokens  = 500_000
	maxForms   = 200
	maxLevel   = 8 // of forms within forms
	maxAnnots  = 200
	flagHidden = 2
)

// Text is what a document's pages say.
type Text struct {
	Words      string // in the order of the content; lines end with a line break
	Unreadable int    // codes whose letters the fonts do not tell
}

// Read reads the text of the first pages.
func Read(f *xref.File, pages int) Text {
	r := reader{f: f, fonts: map[object.Ref]*font{}}
	for n := 1; n <= min(pages, page.Count(f)); n++ {
		p, err := page.Find(f, n)
		if err != nil {
			break
		}
		r.page(p)
		r.out.WriteByte('\n')
		if r.full() {
			break
		}
	}
	return Text{Words: r.out.String(), Unreadable: r.unreadable}
}

// reader gathers the text of pages.
type reader struct {
	f          *xref.File
	fonts      map[object.Ref]*font
	out        strings.Builder
	unreadable int
	data       int
	tokens     int
	forms      int
}

func (r *reader) full() bool {
	return r.out.Len() > maxText || r.data > maxData || r.tokens > maxTokens
}

// page reads a page's content, and the annotations that lie on it.
func (r *reader) page(p *page.Page) {
	content, err := page.ReadContent(r.f, p)
	if err != nil {
		return
	}
	var data []byte
	for _, o := range content.Streams {
		part, _ := r.f.Inflate(r.f.Resolve(p.Part(o)), max(0, maxData-len(data))) // of a damaged stream, what viewers see of it
		data = append(append(data, part...), '\n')
	}
	r.run(data, p.Resources, 0)
	n := 0
	for a := range r.f.Elems(r.f.Get(p.Value, "Annots")) {
		if n++; n > maxAnnots {
			return
		}
		if flags, _ := r.f.Get(a, "F").Int(); flags&flagHidden == 0 {
			r.out.WriteByte('\n')
			r.form(r.f.Get(r.f.Get(a, "AP"), "N"), xref.Value{}, 0)
		}
	}
}

// form reads a form's content.
func (r *reader) form(v, resources xref.Value, level int) {
	if r.forms++; r.forms > maxForms || level > maxLevel || !v.IsStream() {
		return
	}
	data, _ := r.f.Inflate(v, maxData-min(r.data, maxData)) // of a damaged stream, what viewers see of it
	if own := r.f.Get(v, "Resources"); !own.IsNull() {
		resources = own
	}
	r.run(data, resources, level+1)
}

// run goes over the operators of content.
func (r *reader) run(data []byte, resources xref.Value, level int) {
	r.data += len(data)
	p := interpreter{reader: r, resources: resources, level: level, state: state{scale: 1, ctm: identity}, textMatrix: identity, lineMatrix: identity, end: [2]float64{math.NaN(), 0}}
	for i := 0; !r.full(); {
		s, e, err := object.Next(data, i)
		if s >= len(data) {
			return
		}
		r.tokens++
		if err != nil {
			i = max(e, s+1)
			continue
		}
		o := object.Object(data[s:e])
		if i = e; o.Kind() != object.Keyword {
			if len(p.operands) < 64 {
				p.operands = append(p.operands, o)
			}
			continue
		}
		if string(o) == "ID" {
			i = page.SkipInlineImage(data, e)
		} else {
			p.execute(string(o))
		}
		p.operands = p.operands[:0]
	}
}

type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// concat is the matrix that does m first and then n.
func (m matrix) concat(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// state is the part of the graphics state that matters here.
type state struct {
	ctm         matrix
	font        *font
	size        float64
	leading     float64
	charSpacing float64
	wordSpacing float64
	scale       float64
}

// interpreter carries out the operators of one content stream.
type interpreter struct {
	*reader
	state
	resources              xref.Value
	level                  int
	operands               []object.Object
	stack                  []state
	textMatrix, lineMatrix matrix
	end                    [2]float64 // where the text before ended; NaN where none did
	marks                  []bool     // marked content that is open: whether its text is given otherwise
	replaced               int        // how many of them are
}

// operand is the operand i places from the last one; the last is 0.
func (p *interpreter) operand(i int) float64 {
	if i >= len(p.operands) {
		return 0
	}
	n, _ := p.operands[len(p.operands)-1-i].Real()
	return n
}

func (p *interpreter) last() object.Object {
	if len(p.operands) == 0 {
		return nil
	}
	return p.operands[len(p.operands)-1]
}

func (p *interpreter) matrixOperands() matrix {
	return matrix{p.operand(5), p.operand(4), p.operand(3), p.operand(2), p.operand(1), p.operand(0)}
}

// execute carries out one operator (ISO 32000-1, annex A).
func (p *interpreter) execute(operator string) {
	switch operator {
	case "q":
		if len(p.stack) < 512 {
			p.stack = append(p.stack, p.state)
		}
	case "Q":
		if n := len(p.stack); n > 0 {
			p.state, p.stack = p.stack[n-1], p.stack[:n-1]
		}
	case "cm":
		p.ctm = p.matrixOperands().concat(p.ctm)
	case "Do":
		v := p.f.Get(p.f.Get(p.resources, "XObject"), p.last().Text())
		if p.f.Get(v, "Subtype").Is("Form") {
			p.out.WriteByte('\n')
			p.form(v, p.resources, p.level)
			p.end[0] = math.NaN()
			p.out.WriteByte('\n')
		}
	case "BMC", "BDC":
		p.mark(operator == "BDC")
	case "EMC":
		if n := len(p.marks); n > 0 {
			if p.marks[n-1] {
				p.replaced--
			}
			p.marks = p.marks[:n-1]
		}
	default:
		p.write(operator)
	}
}

// mark begins marked content; one whose text is given as a whole (ISO 32000-1,
// 14.9.4) has it read from there.
func (p *interpreter) mark(listed bool) {
	text, given := "", false
	if listed {
		list := p.resources.Part(p.last())
		if list.Kind() == object.Name {
			list = p.f.Get(p.f.Get(p.resources, "Properties"), list.Text())
		}
		if actual := p.f.Get(list, "ActualText"); actual.Kind() == object.String {
			text, given = object.FromText(actual.Bytes()), true
		}
	}
	if len(p.marks) >= 512 {
		return
	}
	if given && p.replaced == 0 {
		p.gap()
		p.out.WriteString(text)
	}
	if given {
		p.replaced++
	}
	p.marks = append(p.marks, given)
}

// write carries out what shows text.
func (p *interpreter) write(operator string) {
	switch operator {
	case "BT":
		p.textMatrix, p.lineMatrix = identity, identity
	case "Tf":
		p.size = p.operand(0)
		if n := len(p.operands); n > 1 {
			p.font = p.fontNamed(p.operands[n-2])
		}
	case "TL":
		p.leading = p.operand(0)
	case "Tc":
		p.charSpacing = p.operand(0)
	case "Tw":
		p.wordSpacing = p.operand(0)
	case "Tz":
		p.scale = p.operand(0) / 100
	case "Td", "TD":
		if operator == "TD" {
			p.leading = -p.operand(0)
		}
		p.moveLine(p.operand(1), p.operand(0))
	case "Tm":
		p.textMatrix = p.matrixOperands()
		p.lineMatrix = p.textMatrix
	case "T*":
		p.moveLine(0, -p.leading)
	case "'":
		p.moveLine(0, -p.leading)
		p.show(p.last())
	case "\"":
		p.wordSpacing, p.charSpacing = p.operand(2), p.operand(1)
		p.moveLine(0, -p.leading)
		p.show(p.last())
	case "Tj":
		p.show(p.last())
	case "TJ":
		p.showAll(p.last())
	}
}

func (p *interpreter) moveLine(x, y float64) {
	p.lineMatrix = matrix{1, 0, 0, 1, x, y}.concat(p.lineMatrix)
	p.textMatrix = p.lineMatrix
}

// showAll shows the strings of an array, with moves between them.
func (p *interpreter) showAll(all object.Object) {
	if all.Kind() != object.Array {
		p.show(all)
		return
	}
	for e := range all.Elems() {
		if e.Kind() == object.String {
			p.show(e)
		} else if n, ok := e.Real(); ok {
			p.advance(-n / 1000 * p.size * p.scale)
		}
	}
}

func (p *interpreter) advance(by float64) {
	p.textMatrix = matrix{1, 0, 0, 1, by, 0}.concat(p.textMatrix)
}

// gap writes a space or a line break where the text that follows does not join what
// stands before it.
func (p *interpreter) gap() {
	at := p.textMatrix.concat(p.ctm)
	before := p.end
	em := math.Abs(p.size) * math.Hypot(at[0], at[1])
	if em == 0 {
		em = math.Abs(p.size) * math.Hypot(at[2], at[3])
	}
	dx, dy := at[4]-before[0], at[5]-before[1]
	// Along the line and across it, as the text is turned.
	if length := math.Hypot(at[0], at[1]); length > 0 {
		cos, sin := at[0]/length, at[1]/length
		dx, dy = dx*cos+dy*sin, dy*cos-dx*sin
	}
	const word, line, back = 0.17, 0.5, 0.5 // of the letters' size
	switch {
	case math.IsNaN(before[0]):
	case math.Abs(dy) > line*em:
		p.out.WriteByte('\n')
	case dx > word*em || dx < -back*em:
		p.out.WriteByte(' ')
	}
}

// show writes a string's letters.
func (p *interpreter) show(o object.Object) {
	if o.Kind() != object.String || p.font == nil {
		return
	}
	quiet := p.replaced > 0
	if !quiet {
		p.gap()
	}
	codes := o.Bytes()
	for len(codes) > 0 {
		code, n := p.font.next(codes)
		letters, known := p.font.letters(code, n, codes[:n])
		switch {
		case quiet:
		case known:
			p.out.WriteString(letters)
		default:
			p.unreadable++
			p.out.WriteByte('\x00') // no letter of a name, and no space
		}
		by := p.font.width(code)*p.size + p.charSpacing
		if n == 1 && code == ' ' {
			by += p.wordSpacing
		}
		p.advance(by * p.scale)
		codes = codes[n:]
		if p.out.Len() > maxText {
			break
		}
	}
	at := p.textMatrix.concat(p.ctm)
	p.end = [2]float64{at[4], at[5]}
}
