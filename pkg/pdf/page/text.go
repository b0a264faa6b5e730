package page

import (
	"math"
	"strings"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxText       = 256 << 10 // bytes of text read of one document
	maxTextData   = 16 << 20  // of content gone through
	maxTextForms  = 200
	maxTextLevel  = 8 // of forms within forms
	maxTextAnnots = 200
)

// Text is what a document's pages say.
type Text struct {
	Words      string // in the order of the content; lines end with a line break
	Unreadable int    // codes whose letters the fonts do not tell
}

// ReadText reads the words that the first pages show (ISO 32000-1, 9.10): enough to find a
// name in them, not to lay them out. Fonts are read that say which letters their codes are, by
// their encoding or by a ToUnicode map; text in other fonts is counted as unreadable.
func ReadText(f *xref.File, pages int) Text {
	r := textReader{f: f, fonts: map[object.Ref]*textFont{}}
	for n := 1; n <= min(pages, Count(f)); n++ {
		p, err := Find(f, n)
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

// textReader gathers the text of pages.
type textReader struct {
	f          *xref.File
	fonts      map[object.Ref]*textFont
	out        strings.Builder
	unreadable int
	data       int
	tokens     int
	forms      int
}

func (r *textReader) full() bool {
	return r.out.Len() > maxText || r.data > maxTextData || r.tokens > maxTokens
}

// page reads a page's content, and the annotations that lie on it.
func (r *textReader) page(p *Page) {
	content, err := ReadContent(r.f, p)
	if err != nil {
		return
	}
	var data []byte
	for _, o := range content.Streams {
		part, _ := r.f.Inflate(r.f.Resolve(p.Part(o)), max(0, maxTextData-len(data))) // of a damaged stream, what viewers see of it
		data = append(append(data, part...), '\n')
	}
	r.run(data, p.Resources, 0)
	n := 0
	for a := range r.f.Elems(r.f.Get(p.Value, "Annots")) {
		if n++; n > maxTextAnnots {
			return
		}
		if flags, _ := r.f.Get(a, "F").Int(); flags&flagHidden == 0 {
			r.out.WriteByte('\n')
			r.form(r.f.Get(r.f.Get(a, "AP"), "N"), xref.Value{}, 0)
		}
	}
}

// form reads a form's content.
func (r *textReader) form(v, resources xref.Value, level int) {
	if r.forms++; r.forms > maxTextForms || level > maxTextLevel || !v.IsStream() {
		return
	}
	data, _ := r.f.Inflate(v, maxTextData-min(r.data, maxTextData)) // of a damaged stream, what viewers see of it
	if own := r.f.Get(v, "Resources"); !own.IsNull() {
		resources = own
	}
	r.run(data, resources, level+1)
}

// run goes over the operators of content.
func (r *textReader) run(data []byte, resources xref.Value, level int) {
	r.data += len(data)
	p := textInterpreter{textReader: r, contentReader: newContentReader(data, &r.tokens), resources: resources, level: level,
		fontState: fontState{textState: textState{scale: 1}, ctm: identity}, textPosition: textPosition{identity, identity}, end: [2]float64{math.NaN(), 0}}
	for operator := p.next(); operator != "" && !r.full(); operator = p.next() {
		p.execute(operator)
	}
}

// fontState is the part of the graphics state that matters here.
type fontState struct {
	textState
	ctm  matrix
	font *textFont
}

// textInterpreter carries out the operators of one content stream.
type textInterpreter struct {
	*textReader
	contentReader
	textPosition
	fontState
	resources xref.Value
	level     int
	stack     []fontState
	end       [2]float64 // where the text before ended; NaN where none did
	marks     []bool     // marked content that is open: whether its text is given otherwise
	replaced  int        // how many of them are
}

// execute carries out one operator (ISO 32000-1, annex A).
func (p *textInterpreter) execute(operator string) {
	switch operator {
	case "q":
		if len(p.stack) < maxStack {
			p.stack = append(p.stack, p.fontState)
		}
	case "Q":
		if n := len(p.stack); n > 0 {
			p.fontState, p.stack = p.stack[n-1], p.stack[:n-1]
		}
	case "cm":
		p.ctm = p.operands.matrix().concat(p.ctm)
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
func (p *textInterpreter) mark(listed bool) {
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
	if len(p.marks) >= maxStack {
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

// write carries out what sets and shows text.
func (p *textInterpreter) write(operator string) {
	p.set(&p.textState, operator, p.operands)
	switch operator {
	case "Tf":
		if n := len(p.operands); n > 1 {
			p.font = p.fontNamed(p.operands[n-2])
		}
	case "'", "\"", "Tj":
		p.show(p.last())
	case "TJ":
		p.showAll(p.last())
	}
}

// showAll shows the strings of an array, with moves between them.
func (p *textInterpreter) showAll(all object.Object) {
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

// gap writes a space or a line break where the text that follows does not join what
// stands before it.
func (p *textInterpreter) gap() {
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
func (p *textInterpreter) show(o object.Object) {
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
