package substring

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/store/bolt/set"
)

// Column holds the lines of one number of all a segment's texts: where each
// begins, and all of them one behind the other.
type Column []byte

const head = 4 * (set.Size + 1)

// Columns puts texts into columns, at least one.
func Columns(texts []Text) []Column {
	var lines [set.Size][]string
	width := 1
	for _, t := range texts {
		lines[t.Place] = strings.Split(t.Text, "\n")
		width = max(width, len(lines[t.Place]))
	}
	columns := make([]Column, width)
	for n := range columns {
		var begins, body []byte
		for _, of := range lines {
			begins = binary.LittleEndian.AppendUint32(begins, uint32(len(body)))
			if n < len(of) {
				body = append(body, of[n]...)
			}
		}
		begins = binary.LittleEndian.AppendUint32(begins, uint32(len(body)))
		columns[n] = append(begins, body...)
	}
	return columns
}

// line is a place's line.
func (c Column) line(p uint16) []byte {
	if len(c) < head {
		return nil
	}
	from, to := binary.LittleEndian.Uint32(c[4*int(p):]), binary.LittleEndian.Uint32(c[4*int(p)+4:])
	return c[head+from : head+to]
}

// Blank is the column with a place's line overwritten by bytes that no term has.
func (c Column) Blank(p uint16) Column {
	blank := slices.Clone(c)
	clear(blank.line(p))
	return blank
}

// Finder looks for a term. In one list the same column mostly holds it at the same
// offset, so that is where it looks first.
type Finder struct {
	term       []byte
	column, at int
}

// NewFinder looks for a term that is not empty.
func NewFinder(term string) *Finder { return &Finder{term: []byte(term)} }

// Holds tells whether a text holds the term. The function returns a column; nil
// when there are no more.
func (f *Finder) Holds(p uint16, column func(n int) (Column, error)) (bool, error) {
	likely, err := column(f.column)
	if err != nil {
		return false, err
	}
	line := likely.line(p)
	if end := f.at + len(f.term); end <= len(line) && bytes.Equal(line[f.at:end], f.term) {
		return true, nil
	}
	if at := bytes.Index(line, f.term); at >= 0 {
		f.at = at
		return true, nil
	}
	for n := 0; ; n++ {
		c, err := column(n)
		if err != nil || c == nil {
			return false, err
		}
		if at := bytes.Index(c.line(p), f.term); at >= 0 {
			f.column, f.at = n, at
			return true, nil
		}
	}
}
