package search

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// Column holds the lines of one number of all a segment's texts: where each
// begins, and all of them one behind the other.
type Column []byte

const columnHeaderSize = 4 * (SegmentSize + 1)

// NewColumns puts texts into columns, at least one.
func NewColumns(texts []SegmentText) []Column {
	var lines [SegmentSize][]string
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
	if len(c) < columnHeaderSize {
		return nil
	}
	from, to := binary.LittleEndian.Uint32(c[4*int(p):]), binary.LittleEndian.Uint32(c[4*int(p)+4:])
	return c[columnHeaderSize+from : columnHeaderSize+to]
}

// ColumnTexts makes a segment's texts of its columns, without their owners.
func ColumnTexts(columns []Column) []SegmentText {
	texts := make([]SegmentText, SegmentSize)
	for p := range uint16(SegmentSize) {
		lines := make([]string, len(columns))
		for n, c := range columns {
			lines[n] = string(c.line(p))
		}
		texts[p] = SegmentText{Place: p, Text: strings.Join(lines, "\n")}
	}
	return texts
}

// Finder looks for a term. In one list the same column mostly holds it at the same
// offset, so that is where it looks first.
type Finder struct {
	term       string
	bytes      []byte // the same
	column, at int
}

// NewFinder looks for a term that is not empty.
func NewFinder(term string) *Finder { return &Finder{term: term, bytes: []byte(term)} }

// Term is what it looks for.
func (f *Finder) Term() []byte { return f.bytes }

// Filter keeps of a set of texts those that hold the term. The function returns a
// column; nil when there are no more.
func (f *Finder) Filter(found *Bitset, column func(n int) (Column, error)) error {
	likely, err := column(f.column)
	if err != nil {
		return err
	}
	for i := range found {
		for rest := found[i]; rest != 0; rest &= rest - 1 {
			p := uint16(64*i + bits.TrailingZeros64(rest))
			line := likely.line(p)
			if f.at+len(f.term) <= len(line) && string(line[f.at:f.at+len(f.term)]) == f.term {
				continue
			}
			if at := bytes.Index(line, f.bytes); at >= 0 {
				f.at = at
				continue
			}
			holds, err := f.holds(p, column)
			if err != nil {
				return err
			}
			if !holds {
				found.Remove(p)
				continue
			}
			if likely, err = column(f.column); err != nil {
				return err
			}
		}
	}
	return nil
}

// holds looks into all of a text's lines, and remembers where the term was.
func (f *Finder) holds(p uint16, column func(n int) (Column, error)) (bool, error) {
	for n := 0; ; n++ {
		c, err := column(n)
		if err != nil || c == nil {
			return false, err
		}
		if at := bytes.Index(c.line(p), f.bytes); at >= 0 {
			f.column, f.at = n, at
			return true, nil
		}
	}
}

// Replace returns the column with another line at a place.
func (c Column) Replace(p uint16, line []byte) Column {
	if len(c) < columnHeaderSize {
		return c
	}
	old := len(c.line(p))
	from := columnHeaderSize + int(binary.LittleEndian.Uint32(c[4*int(p):]))
	out := slices.Concat(c[:from], line, c[from+old:])
	for next := int(p) + 1; next <= SegmentSize; next++ {
		begin := out[4*next:]
		binary.LittleEndian.PutUint32(begin, binary.LittleEndian.Uint32(begin)+uint32(len(line)-old))
	}
	return out
}
