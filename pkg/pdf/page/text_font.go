package page

import (
	"strings"
	"unicode/utf16"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxMap     = 4 << 20 // bytes of a ToUnicode map
	maxEntries = 70_000  // of a map
	// usualTextWidth is less than usualWidth: words that touch are told apart, and nothing is
	// covered.
	usualTextWidth = 0.5
)

// textFont tells which letters the codes of a font are, and how wide.
type textFont struct {
	*glyphWidths
	lengths map[uint32]int // of composite fonts with codes of several lengths: by the first byte
	codes   map[uint32]string
	simple  [256]string // of simple fonts
	page    encoding.Encoding
	unicode bool // codes are UTF-16
}

// fontNamed finds a font of the resources.
func (p *textInterpreter) fontNamed(name object.Object) *textFont {
	all := p.f.Get(p.resources, "Font")
	ref, indirect := all.Key(name.Text()).Ref()
	if known := p.fonts[ref]; known != nil && indirect {
		return known
	}
	v := p.f.Resolve(all.Key(name.Text()))
	if v.Kind() != object.Dict {
		return nil
	}
	made := p.readFont(v)
	if indirect {
		p.fonts[ref] = made
	}
	return made
}

func (r *textReader) readFont(v xref.Value) *textFont {
	f := &textFont{glyphWidths: readGlyphWidths(r.f, v)}
	if m := r.f.Get(v, "ToUnicode"); m.IsStream() {
		data, _ := r.f.Inflate(m, maxMap) // of a damaged map, what can be read of it
		f.readMap(data)
	}
	if f.wide {
		r.readComposite(f, v)
	} else {
		f.standard = usualTextWidth
		r.readEncoding(f, v)
	}
	return f
}

// readComposite reads what a composite font's codes are.
func (r *textReader) readComposite(f *textFont, v xref.Value) {
	name := r.f.Get(v, "Encoding")
	if name.Kind() == object.Name {
		switch text := name.Text(); {
		case strings.Contains(text, "UCS2"), strings.Contains(text, "UTF16"):
			f.unicode = true
		case strings.HasPrefix(text, "GBK"), strings.HasPrefix(text, "GB-"), strings.HasPrefix(text, "GBpc"):
			f.page = simplifiedchinese.GB18030
		case strings.Contains(text, "RKSJ"):
			f.page = japanese.ShiftJIS
		case strings.HasPrefix(text, "ETen"), strings.HasPrefix(text, "B5"), strings.HasPrefix(text, "HKscs"):
			f.page = traditionalchinese.Big5
		case strings.HasPrefix(text, "KSC"):
			f.page = korean.EUCKR
		}
	}
}

// next is the first code of a string and its length in bytes.
func (f *textFont) next(codes []byte) (code uint32, n int) {
	n = 1
	switch {
	case !f.wide:
	case f.page != nil:
		if codes[0] >= 0x81 && !(f.page == japanese.ShiftJIS && codes[0] >= 0xa0 && codes[0] < 0xe0) {
			n = 2
		}
	default:
		n = 2
		if length, ok := f.lengths[uint32(codes[0])]; ok {
			n = length
		}
	}
	n = min(n, len(codes))
	for _, b := range codes[:n] {
		code = code<<8 | uint32(b)
	}
	return code, n
}

// letters are those of a code.
func (f *textFont) letters(code uint32, n int, raw []byte) (string, bool) {
	if text, ok := f.codes[code]; ok {
		return text, true
	}
	switch {
	case f.unicode && n == 2:
		return string(utf16.Decode([]uint16{uint16(code)})), true
	case f.page != nil:
		text, err := f.page.NewDecoder().Bytes(raw)
		return string(text), err == nil
	case !f.wide && f.simple[code&0xff] != "":
		return f.simple[code&0xff], true
	}
	return "", false
}

// readMap reads a ToUnicode map (Adobe technical note 5014): what stands between
// begincodespacerange, beginbfchar, beginbfrange and their ends.
func (f *textFont) readMap(data []byte) {
	f.codes, f.lengths = map[uint32]string{}, map[uint32]int{}
	var operands []object.Object
	for i := 0; len(f.codes) < maxEntries; {
		s, e, err := object.Next(data, i)
		if s >= len(data) {
			break
		}
		if i = e; err != nil {
			i = max(e, s+1)
			continue
		}
		o := object.Object(data[s:e])
		if o.Kind() != object.Keyword {
			if len(operands) < 3*maxEntries {
				operands = append(operands, o)
			}
			continue
		}
		switch string(o) {
		case "endcodespacerange":
			f.readLengths(operands)
		case "endbfchar":
			for ; len(operands) > 1; operands = operands[2:] {
				f.codes[codeOf(operands[0].Bytes())] = utf16Text(operands[1].Bytes())
			}
		case "endbfrange":
			for ; len(operands) > 2; operands = operands[3:] {
				f.readRange(operands[0], operands[1], operands[2])
			}
		}
		operands = nil
	}
	if len(f.codes) == 0 {
		f.codes = nil
	}
}

// readLengths notes how many bytes the codes of each first byte have.
func (f *textFont) readLengths(operands []object.Object) {
	for ; len(operands) > 1; operands = operands[2:] {
		from, to := operands[0].Bytes(), operands[1].Bytes()
		if len(from) == 0 || len(to) == 0 {
			continue
		}
		for b := uint32(from[0]); b <= uint32(to[0]); b++ {
			f.lengths[b] = min(len(from), 4)
		}
	}
}

// readRange maps a range of codes: to letters that count on, or to each its own.
func (f *textFont) readRange(from, to, what object.Object) {
	first, last := codeOf(from.Bytes()), codeOf(to.Bytes())
	if last < first || last-first > 1<<16 {
		return
	}
	if what.Kind() == object.Array {
		code := first
		for e := range what.Elems() {
			if code > last {
				return
			}
			f.codes[code] = utf16Text(e.Bytes())
			code++
		}
		return
	}
	text := utf16.Encode([]rune(utf16Text(what.Bytes())))
	if len(text) == 0 {
		return
	}
	for code := first; code <= last && len(f.codes) < maxEntries; code++ {
		f.codes[code] = string(utf16.Decode(text))
		text[len(text)-1]++
	}
}

func codeOf(b []byte) (code uint32) {
	for _, c := range b[:min(len(b), 4)] {
		code = code<<8 | uint32(c)
	}
	return code
}

func utf16Text(b []byte) string {
	if len(b) == 1 {
		return string(rune(b[0]))
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units))
}

// readEncoding fills in the letters of a simple font (ISO 32000-1, 9.6.6).
func (r *textReader) readEncoding(f *textFont, v xref.Value) {
	e := r.f.Get(v, "Encoding")
	base := e
	if e.Kind() == object.Dict {
		base = r.f.Get(e, "BaseEncoding")
	}
	symbolic := false
	if flags, ok := r.f.Get(r.f.Get(v, "FontDescriptor"), "Flags").Int(); ok {
		symbolic = flags&4 != 0
	}
	embedded := false
	for _, key := range []string{"FontFile", "FontFile2", "FontFile3"} {
		embedded = embedded || !r.f.Get(r.f.Get(v, "FontDescriptor"), key).IsNull()
	}
	switch {
	case base.Is("WinAnsiEncoding"):
		f.useCharmap(charmap.Windows1252)
	case base.Is("MacRomanEncoding"):
		f.useCharmap(charmap.Macintosh)
	case r.f.Get(v, "Subtype").Is("Type3"), isPiFont(r.f.Get(v, "BaseFont").Text()):
	case embedded && symbolic && base.IsNull():
		// The font file has an encoding of its own, mostly a subset's.
		f.readBuiltIn(r, v)
	default:
		f.useStandard()
	}
	code := int64(-1)
	for d := range r.f.Elems(r.f.Get(e, "Differences")) {
		if n, ok := d.Int(); ok {
			code = n
			continue
		}
		if code >= 0 && code < 256 && d.Kind() == object.Name {
			f.simple[code] = glyphText(d.Text())
		}
		code++
	}
}

func isPiFont(name string) bool {
	return strings.HasSuffix(name, "Symbol") || strings.Contains(name, "Dingbats") || strings.Contains(name, "Wingdings")
}

func (f *textFont) useCharmap(page *charmap.Charmap) {
	for c := 32; c < 256; c++ {
		f.simple[c] = string(page.DecodeByte(byte(c)))
	}
}

// useStandard is the standard encoding (ISO 32000-1, annex D.2).
func (f *textFont) useStandard() {
	for c := 32; c < 127; c++ {
		f.simple[c] = string(rune(c))
	}
	f.simple['\''], f.simple['`'] = "’", "‘"
	for code, text := range map[int]string{161: "¡", 162: "¢", 163: "£", 164: "⁄", 165: "¥", 167: "§", 168: "¤", 169: "'", 170: "“", 171: "«", 172: "‹", 173: "›", 174: "fi", 175: "fl",
		177: "–", 182: "¶", 183: "•", 184: "‚", 185: "„", 186: "”", 187: "»", 188: "…", 191: "¿", 208: "—", 225: "Æ", 227: "ª", 232: "Ł", 233: "Ø", 234: "Œ", 235: "º",
		241: "æ", 245: "ı", 248: "ł", 249: "ø", 250: "œ", 251: "ß"} {
		f.simple[code] = text
	}
}

// readBuiltIn reads the encoding that stands in the clear in a Type 1 font file:
// "dup 65 /A put".
func (f *textFont) readBuiltIn(r *textReader, v xref.Value) {
	file := r.f.Get(r.f.Get(v, "FontDescriptor"), "FontFile")
	if !file.IsStream() {
		return
	}
	data, _ := r.f.Inflate(file, maxMap) // of a damaged file, what can be read of it
	text := string(data)
	if end := strings.Index(text, "eexec"); end >= 0 {
		text = text[:end]
	}
	_, text, ok := strings.Cut(text, "/Encoding")
	if !ok {
		return
	}
	if strings.HasPrefix(strings.TrimSpace(text), "StandardEncoding") {
		f.useStandard()
		return
	}
	words := strings.Fields(strings.ReplaceAll(text, "/", " /"))
	for i := 0; i+3 < len(words); i++ {
		if words[i] != "dup" || words[i+3] != "put" || !strings.HasPrefix(words[i+2], "/") {
			continue
		}
		if code, _, ok := object.Digits([]byte(words[i+1]), 0); ok && code < 256 {
			f.simple[code] = glyphText(words[i+2][1:])
		}
	}
}
