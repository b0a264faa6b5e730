package page

import (
	"errors"

	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

const (
	maxStreams     = 4_000
	maxCompressed  = 512 << 10 // of one page's content; more is taken to be balanced
	maxInflated    = 16 << 20
	maxGrowth      = 200 // times that content inflates; text does so less than 50 times
	sampleSize     = 16 << 10
	maxSampledSize = 100 << 20
)

var errBomb = reject.New(reject.TooComplex, "The page's content inflates to a size that no viewer can draw")

// Content is a page's content streams and what they leave open.
type Content struct {
	Streams     []object.Object // references, in order
	WrongLength []xref.Value    // those streams whose length is wrong
	SavesBefore int             // q operators needed in front so that no Q finds nothing to restore
	After       []byte          // operators that close what the content leaves open, back to the state in front
	inflated    [][]byte        // the streams' data, where all of it was read
}

// ReadContent lists the content streams of a page and follows their operators
// as far as nesting goes.
func ReadContent(f *xref.File, p *Page) (Content, error) {
	c := Content{SavesBefore: 1}
	entry := p.Key("Contents")
	v := f.Resolve(entry)
	var streams []xref.Value
	switch {
	case v.IsStream():
		c.Streams = []object.Object{entry.Object}
		streams = []xref.Value{v}
	case v.Kind() == object.Array:
		for e := range v.Object.Elems() {
			if len(streams) == maxStreams {
				return c, reject.Newf(reject.TooComplex, "The page's content is in more than %d pieces", maxStreams)
			}
			if s := f.Resolve(v.Part(e)); s.IsStream() {
				c.Streams = append(c.Streams, e)
				streams = append(streams, s)
			}
		}
	}
	var size int64
	for _, s := range streams {
		if size += f.StreamSize(s); !f.LengthValid(s) {
			c.WrongLength = append(c.WrongLength, s)
		}
	}
	if size > maxCompressed {
		for _, s := range streams {
			if sample := f.Sample(s, sampleSize, maxGrowth*sampleSize); sample == maxGrowth*sampleSize &&
				f.StreamSize(s)*maxGrowth > maxSampledSize {
				return c, errBomb
			}
		}
		streams = nil
	}
	b := balance{}
	left := maxInflated
	for _, s := range streams {
		data, err := f.Inflate(s, left) // of a damaged stream, what viewers see of it
		if r, ok := errors.AsType[*reject.Rejection](err); ok && r.Reason == reject.TooComplex {
			return c, errBomb
		}
		b.run(data)
		c.inflated = append(c.inflated, data)
		left -= len(data)
	}
	c.SavesBefore = 1 - b.lowest
	c.After = b.close(c.After)
	for range b.depth + c.SavesBefore {
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
	i := 0
	switch { // a string that the stream before left open goes on
	case b.inString > 0:
		i = b.skipString(data, 0)
	case b.inHex:
		b.inHex = false
		i = b.skipHex(data, 0)
	}
	for {
		i = object.SkipSpace(data, i)
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
					end = SkipInlineImage(data, end)
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
	for i < len(b) && object.IsRegular(b[i]) {
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
	return b.skipHex(data, i+1)
}

func (b *balance) skipHex(data []byte, i int) int {
	for ; i < len(data); i++ {
		if data[i] == '>' {
			return i + 1
		}
	}
	b.inHex = true
	return len(data)
}

// SkipInlineImage returns the position behind EI. Image data are taken to end
// at an EI between white space that is followed by what can be content.
func SkipInlineImage(data []byte, i int) int {
	for i++; i+1 < len(data); i++ {
		if data[i] != 'E' || data[i+1] != 'I' || !object.IsSpace(data[i-1]) {
			continue
		}
		if i+2 == len(data) || (object.IsSpace(data[i+2]) && printable(data[i+2:min(i+18, len(data))])) {
			return i + 2
		}
	}
	return len(data)
}

func printable(b []byte) bool {
	for _, c := range b {
		if c >= 0x7F || (c < ' ' && !object.IsSpace(c)) {
			return false
		}
	}
	return true
}
