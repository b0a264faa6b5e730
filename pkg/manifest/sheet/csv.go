package sheet

import (
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// readCSV reads comma-, semicolon- or tab-separated text.
func readCSV(data []byte, opts Options) (*Sheet, error) {
	text, encoding, err := decode(data, opts.Encoding)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n") // line ends of the old Mac
	}
	body, declared := cutSep(text)
	comma, err := detectDelimiter(body, declared, opts)
	if err != nil {
		return nil, err
	}
	s := &Sheet{Encoding: encoding, Delimiter: delimiterName(comma)}
	lines := newRecordReader(body, comma)
	if declared != "" {
		lines.line++ // the editor shows that line, a spreadsheet does not
	}
	for {
		l, err := lines.next()
		if errors.Is(err, io.EOF) {
			return s, s.requireHeader(opts)
		}
		if err == nil {
			err = s.add(l, opts)
		}
		if err != nil {
			return nil, err
		}
	}
}

// recordReader splits text into lines and keeps count of where they stand.
type recordReader struct {
	text   string
	comma  rune
	reader *csv.Reader
	offset int // of the first byte not yet taken
	row    int // spreadsheet rows taken
	line   int // editor lines taken
}

func newRecordReader(text string, comma rune) *recordReader {
	return &recordReader{text: text, comma: comma, reader: newCSVReader(text, comma)}
}

func newCSVReader(text string, comma rune) *csv.Reader {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = comma, -1
	return r
}

// next returns the next line that is not wholly empty, io.EOF after the last. A
// line with a misplaced quote comes back with its fault and is no error; a
// quote that swallows the rest of the file is one.
func (l *recordReader) next() (Record, error) {
	cells, err := l.reader.Read()
	if errors.Is(err, io.EOF) {
		return Record{}, io.EOF
	}
	raw := l.text[l.offset:l.reader.InputOffset()]
	l.offset = int(l.reader.InputOffset())
	for raw[0] == '\n' || strings.HasPrefix(raw, "\r\n") {
		raw = raw[strings.IndexByte(raw, '\n')+1:]
		l.row, l.line = l.row+1, l.line+1
	}
	r := Record{Row: l.row + 1, Line: l.line + 1, Cells: cells}
	l.row, l.line = l.row+1, l.line+strings.Count(raw, "\n")
	if err == nil {
		return r, nil
	}
	if errors.Is(err, csv.ErrBareQuote) {
		// 5" disk: no spreadsheet takes the quote for anything but itself.
		lazy := newCSVReader(raw, l.comma)
		lazy.LazyQuotes = true
		if again, err := lazy.Read(); err == nil && lazy.InputOffset() == int64(len(raw)) {
			r.Cells = again
			return r, nil
		}
	}
	if rest, err := newCSVReader(raw+`"`, l.comma).Read(); err == nil && strings.Count(raw, "\n") > 1 {
		return r, invalidError("line %d: the quote that opens column %d is never closed, so the rest of the file cannot be split into rows. Close it, or double it if it belongs to the text", r.Line, len(rest))
	}
	r.Fault = "a quote in the middle of a quoted cell, or one that is not closed"
	r.Cells = strings.Split(strings.TrimRight(raw, "\r\n"), string(l.comma))
	return r, nil
}
