package sheet

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/xuri/excelize/v2"
)

// cellRef is a cell by its row, from 1, and its column, from 0.
type cellRef struct{ row, column int }

func (c cellRef) String() string { return CellName(c.column, c.row) }

// styledNumber is a cell with a number and a style, which says whether the number
// is a date.
type styledNumber struct {
	cellRef
	value string
	style int
}

// sheetScan is what the library does not tell of a sheet of an XLSX workbook.
type sheetScan struct {
	tableRows     int       // rows with more than one cell filled
	unstored      []cellRef // formulas whose result is not in the file
	numbers       []styledNumber
	hiddenColumns []int
}

// looksLikeTable reports whether a sheet holds more than remarks.
func (s *sheetScan) looksLikeTable() bool { return s != nil && s.tableRows >= 2 }

// scanner reads the XML of a sheet.
type scanner struct {
	found  sheetScan
	row    int // the row under way
	filled int // cells of it that hold something

	cell    cellRef
	kind    string // of the cell: "" is a number
	style   int
	formula bool
	value   []byte
	inValue bool // between <v> and </v>, or in the text of an inline string
}

// scanXML reads a sheet to its end, for the library stops at a fault and says
// nothing.
func scanXML(data []byte) (*sheetScan, error) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var s scanner
	for depth := 0; ; {
		token, err := d.RawToken()
		switch {
		case errors.Is(err, io.EOF) && depth == 0:
			return &s.found, nil
		case err != nil:
			return nil, invalidError(damaged)
		}
		switch token := token.(type) {
		case xml.StartElement:
			depth++
			s.start(token)
		case xml.EndElement:
			depth--
			s.end(token.Name.Local)
		case xml.CharData:
			if s.inValue {
				s.value = append(s.value, token...)
			}
		}
	}
}

func (s *scanner) start(e xml.StartElement) {
	switch e.Name.Local {
	case "row":
		s.row++
		if n, err := strconv.Atoi(attribute(e, "r")); err == nil {
			s.row = n
		}
		s.filled, s.cell = 0, cellRef{row: s.row, column: -1}
	case "c":
		s.cell = cellRef{row: s.row, column: s.cell.column + 1}
		if column, row, err := excelize.CellNameToCoordinates(attribute(e, "r")); err == nil {
			s.cell = cellRef{row: row, column: column - 1}
		}
		s.kind, s.formula, s.value = attribute(e, "t"), false, s.value[:0]
		s.style, _ = strconv.Atoi(attribute(e, "s")) // 0, the standard style, where there is none
	case "f":
		s.formula = true
	case "v", "t":
		s.inValue = true
	case "col":
		s.hideColumns(e)
	}
}

func (s *scanner) end(name string) {
	switch name {
	case "v", "t":
		s.inValue = false
	case "c":
		s.endCell()
	case "row":
		if s.filled > 1 {
			s.found.tableRows++
		}
	}
}

func (s *scanner) endCell() {
	empty := len(bytes.TrimSpace(s.value)) == 0
	switch {
	case !empty:
		s.filled++
		if s.style > 0 && (s.kind == "" || s.kind == "n") {
			s.found.numbers = append(s.found.numbers, styledNumber{s.cell, string(s.value), s.style})
		}
	case s.formula && s.kind != "str": // a result of no letters is stored as text
		s.found.unstored = append(s.found.unstored, s.cell)
	}
}

// hideColumns notes the columns that a <col> says are hidden.
func (s *scanner) hideColumns(e xml.StartElement) {
	from, err := strconv.Atoi(attribute(e, "min"))
	to, err2 := strconv.Atoi(attribute(e, "max"))
	if hidden := attribute(e, "hidden"); err != nil || err2 != nil || hidden != "1" && hidden != "true" {
		return
	}
	for c := max(from, 1); c <= min(to, MaxColumns); c++ {
		s.found.hiddenColumns = append(s.found.hiddenColumns, c-1)
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// dateStyles returns which of a workbook's cell styles show a number as a date.
func dateStyles(data []byte) map[int]bool {
	var sheet struct {
		Formats []struct {
			ID   int    `xml:"numFmtId,attr"`
			Code string `xml:"formatCode,attr"`
		} `xml:"numFmts>numFmt"`
		Styles []struct {
			Format int `xml:"numFmtId,attr"`
		} `xml:"cellXfs>xf"`
	}
	if xml.Unmarshal(data, &sheet) != nil {
		return nil
	}
	custom := map[int]bool{}
	for _, f := range sheet.Formats {
		custom[f.ID] = showsDate(f.Code)
	}
	found := map[int]bool{}
	for i, s := range sheet.Styles {
		shows, own := custom[s.Format]
		if !own {
			// The formats that have a number of their own: ECMA-376 18.8.30.
			shows = s.Format >= 14 && s.Format <= 17 || s.Format == 22 || s.Format >= 27 && s.Format <= 36 || s.Format >= 50 && s.Format <= 58
		}
		found[i] = shows
	}
	return found
}

// showsDate reports whether a number format has a day or a year in it, outside
// quotes and brackets.
func showsDate(code string) bool {
	quoted, bracket := false, false
	for i, c := range strings.ToLower(code) {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted, i > 0 && code[i-1] == '\\':
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case !bracket && (c == 'd' || c == 'y'):
			return true
		}
	}
	return false
}
