package page

import (
	"github.com/vecctl/vecctl/pkg/pdf/syntax"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxStreams    = 10_000
	maxCompressed = 512 << 10 // of one page's content; more is taken to be balanced
	maxInflated   = 16 << 20
)

// Content is a page's content streams and what they leave open.
type Content struct {
	Streams []syntax.Object // references, in order
	Before  int             // q operators needed in front so that no Q finds nothing to restore
	After   []byte          // operators that close what the content leaves open, back to the state in front
}

// ReadContent lists the content streams of a page and follows their operators
// as far as nesting goes.
func ReadContent(f *xref.File, p *Page) (Content, error) {
	c := Content{Before: 1}
	entry := p.Key("Contents")
	v := f.Resolve(entry)
	var streams []xref.Value
	switch {
	case v.IsStream():
		c.Streams = []syntax.Object{entry.Object}
		streams = []xref.Value{v}
	case v.Kind() == syntax.Array:
		for e := range v.Object.Elems() {
			if s := f.Resolve(v.Part(e)); s.IsStream() && len(streams) < maxStreams {
				c.Streams = append(c.Streams, e)
				streams = append(streams, s)
			}
		}
	}
	var size int64
	for _, s := range streams {
		size += f.StreamSize(s)
	}
	b := balance{}
	if size <= maxCompressed {
		left := maxInflated
		for _, s := range streams {
			data, _ := f.Inflate(s, left) // of a damaged stream, what viewers see of it
			b.run(data)
			if left -= len(data); left <= 0 {
				break
			}
		}
	}
	c.Before = 1 - b.lowest
	c.After = b.close(c.After)
	for range b.depth + c.Before {
		c.After = append(c.After, " Q"...)
	}
	return c, nil
}

// balance follows q/Q, BT/ET and BMC/EMC through content.
type balance struct {
	depth, lowest int
	marked        int
	inText        bool
	inString      int // open parentheses at the end of the data
	inHex         bool
}

// close appends what ends strings, text objects and
// marked content that are still open.
func (b *balance) close(out []byte) []byte {
	for range b.inString {
		out = append(out, ')')
	}
	if b.inHex {
		out = append(out, '>')
	}
	if b.inText {
		out = append(out, " ET"...)
	}
	for range b.marked {
		out = append(out, " EMC"...)
	}
	return out
}

// run goes over the tokens of one content stream. Objects are skipped; only
// operators count.
func (b *balance) run(data []byte) {
	for i := 0; ; {
		i = syntax.SkipSpace(data, i)
		if i >= len(data) {
			return
		}
		switch data[i] {
		case '(':
			i = b.skipString(data, i)
		case '<':
			i = b.skipAngle(data, i)
		case '/':
			i = regular(data, i+1)
		case '>', '[', ']', ')', '{', '}':
			i++
		default:
			end := regular(data, i)
			if end == i {
				end++
			}
			if word := data[i:end]; len(word) <= 3 {
				if string(word) == "ID" {
					end = skipInlineImage(data, end)
				} else {
					b.operator(word)
				}
			}
			i = end
		}
	}
}

func (b *balance) operator(word []byte) {
	switch string(word) {
	case "q":
		b.depth++
	case "Q":
		b.depth--
		b.lowest = min(b.lowest, b.depth)
	case "BT":
		b.inText = true
	case "ET":
		b.inText = false
	case "BMC", "BDC":
		b.marked++
	case "EMC":
		b.marked = max(0, b.marked-1)
	}
}

func regular(b []byte, i int) int {
	for i < len(b) && syntax.IsRegular(b[i]) {
		i++
	}
	return i
}

func (b *balance) skipString(data []byte, i int) int {
	for ; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '(':
			b.inString++
		case ')':
			if b.inString--; b.inString == 0 {
				return i + 1
			}
		}
	}
	b.inString = min(b.inString, 256)
	return len(data)
}

func (b *balance) skipAngle(data []byte, i int) int {
	if i+1 < len(data) && data[i+1] == '<' {
		return i + 2
	}
	for i++; i < len(data); i++ {
		if data[i] == '>' {
			return i + 1
		}
	}
	b.inHex = true
	return len(data)
}

// skipInlineImage returns the position behind EI. Image data are taken to end
// at an EI between white space that is followed by what can be content.
func skipInlineImage(data []byte, i int) int {
	for i++; i+1 < len(data); i++ {
		if data[i] != 'E' || data[i+1] != 'I' || !syntax.IsSpace(data[i-1]) {
			continue
		}
		if i+2 == len(data) || (syntax.IsSpace(data[i+2]) && printable(data[i+2:min(i+18, len(data))])) {
			return i + 2
		}
	}
	return len(data)
}

func printable(b []byte) bool {
	for _, c := range b {
		if c >= 0x7F || (c < ' ' && !syntax.IsSpace(c)) {
			return false
		}
	}
	return true
}
