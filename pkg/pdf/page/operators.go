package page

import "github.com/vecctl/vecctl/pkg/pdf/object"

// contentReader goes over the operators of a content stream.
type contentReader struct {
	operands // of the operator that next returned last
	data     []byte
	at       int
	tokens   *int   // counts operators and operands, over all streams of a page
	inline   []byte // what stands behind the operator ID: an inline image's data
}

func newContentReader(data []byte, tokens *int) contentReader {
	return contentReader{data: data, tokens: tokens}
}

// next returns the next operator; "" at the end of the data, and behind maxTokens.
func (c *contentReader) next() string {
	c.operands = c.operands[:0]
	for {
		s, e, err := object.Next(c.data, c.at)
		if s >= len(c.data) {
			return ""
		}
		if *c.tokens++; *c.tokens > maxTokens {
			return ""
		}
		if err != nil {
			c.at = max(e, s+1)
			continue
		}
		o := object.Object(c.data[s:e])
		if c.at = e; o.Kind() != object.Keyword {
			if len(c.operands) < maxOperands {
				c.operands = append(c.operands, o)
			}
			continue
		}
		if string(o) == "ID" {
			c.at = SkipInlineImage(c.data, e)
			c.inline = c.data[e:c.at]
		}
		return string(o)
	}
}

// textState is the part of the graphics state that says how text is set (ISO 32000-1, 9.3).
type textState struct {
	size, leading            float64
	charSpacing, wordSpacing float64
	scale, rise              float64
	mode                     int
}

// textPosition is where text goes.
type textPosition struct{ textMatrix, lineMatrix matrix }

// set carries out what an operator says about how and where text goes. Fonts are the caller's,
// and so is what the operators ', ", Tj and TJ then show.
func (p *textPosition) set(t *textState, operator string, o operands) {
	switch operator {
	case "BT":
		p.textMatrix, p.lineMatrix = identity, identity
	case "Tf":
		t.size = o.number(0)
	case "TL":
		t.leading = o.number(0)
	case "Tc":
		t.charSpacing = o.number(0)
	case "Tw":
		t.wordSpacing = o.number(0)
	case "Tz":
		t.scale = o.number(0) / 100
	case "Ts":
		t.rise = o.number(0)
	case "Tr":
		t.mode = int(o.number(0))
	case "Td":
		p.moveLine(o.number(1), o.number(0))
	case "TD":
		t.leading = -o.number(0)
		p.moveLine(o.number(1), o.number(0))
	case "Tm":
		p.textMatrix = o.matrix()
		p.lineMatrix = p.textMatrix
	case "\"":
		t.wordSpacing, t.charSpacing = o.number(2), o.number(1)
		p.moveLine(0, -t.leading)
	case "T*", "'":
		p.moveLine(0, -t.leading)
	}
}

func (p *textPosition) moveLine(x, y float64) {
	p.lineMatrix = matrix{1, 0, 0, 1, x, y}.concat(p.lineMatrix)
	p.textMatrix = p.lineMatrix
}

// advance moves along the line, by a length of unscaled text space.
func (p *textPosition) advance(by float64) {
	p.textMatrix = matrix{1, 0, 0, 1, by, 0}.concat(p.textMatrix)
}
