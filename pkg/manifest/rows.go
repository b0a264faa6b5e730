package manifest

import (
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/gocarina/gocsv"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/date"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/vault"
)

// rowValues is what a row says, as the CSV library fills it.
type rowValues struct {
	vault.Content
	File string `csv:"file"`
}

// recordSource hands a table to the CSV library with the headings as it expects them.
type recordSource struct {
	header []string
	lines  []sheet.Record
}

func (s *recordSource) Read() ([]string, error) {
	if s.header != nil {
		header := s.header
		s.header = nil
		return header, nil
	}
	if len(s.lines) == 0 {
		return nil, io.EOF
	}
	cells := s.lines[0].Cells
	s.lines = s.lines[1:]
	return cells, nil
}

func (s *recordSource) ReadAll() ([][]string, error) {
	all := make([][]string, 0, 1+len(s.lines))
	for {
		cells, err := s.Read()
		if err != nil {
			return all, nil
		}
		all = append(all, cells)
	}
}

// decodeRows fills a row for each record.
func decodeRows(t *sheet.Sheet, cols columns) ([]rowValues, error) {
	header := make([]string, len(t.Header.Cells))
	for f, i := range cols.position {
		if i >= 0 {
			header[i] = field(f).name()
		}
	}
	var out []rowValues
	err := gocsv.UnmarshalCSV(&recordSource{header: header, lines: t.Records}, &out)
	return out[:min(len(out), len(t.Records))], err
}

// checker looks at rows one after the other and remembers what it has seen.
type checker struct {
	t        *sheet.Sheet
	cols     columns
	dates    date.Parser
	files    map[string]int // file to the row that names it first
	people   map[string]int // e-mail, title and date likewise
	firstRow int
}

// makeRows turns a table into checked rows.
func makeRows(t *sheet.Sheet, cols columns, opts Options) ([]Row, error) {
	values, err := decodeRows(t, cols)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(values))
	c := &checker{t: t, cols: cols, firstRow: t.Records[0].Row, files: make(map[string]int, len(rows)), people: make(map[string]int, len(rows))}
	for i, v := range values {
		r := t.Records[i]
		rows[i] = Row{Number: c.rowNumber(r), Line: r.Line, Cells: r.Cells, Content: v.Content, File: v.File}
		for f := range fieldCount {
			rows[i].set(f, sheet.Clean(rows[i].get(f)))
		}
	}
	if c.dates, err = c.detectDates(rows, opts); err != nil {
		return nil, err
	}
	for i := range rows {
		c.checkRow(t.Records[i], &rows[i])
	}
	return rows, nil
}

func (r *Row) get(f field) string {
	if f == fieldFile {
		return r.File
	}
	return vault.FieldID(f).Get(r.Content)
}

func (r *Row) set(f field, text string) {
	if f == fieldFile {
		r.File = text
		return
	}
	vault.FieldID(f).Set(&r.Content, text)
}

// detectDates finds how the column of dates is to be read.
func (c *checker) detectDates(rows []Row, opts Options) (date.Parser, error) {
	if opts.DateFormat != "" {
		return date.ParseFormat(opts.DateFormat)
	}
	var column date.OrderDetector
	for i := range rows {
		if s := rows[i].IssueDate; s != "" {
			column.Add(rows[i].Number, string(s), c.t.Records[i].RealDate)
		}
	}
	reader, err := column.Detect()
	if message, ok := fault.Message(err); ok {
		return reader, invalidError("column %s: %s", columnLabel(c.t, c.cols, fieldDate), message)
	}
	return reader, err
}

// rowNumber is a line's number among the rows.
func (c *checker) rowNumber(r sheet.Record) int { return r.Row - c.firstRow + 1 }

// checkRow checks one row, and gives its date the form in which it is kept.
func (c *checker) checkRow(r sheet.Record, row *Row) {
	if p, ok := c.checkShape(r); !ok {
		// Cells may stand under the wrong headings, so nothing is said of them.
		p.Row, p.Line = row.Number, row.Line
		row.Content, row.File, row.Problems = vault.Content{}, "", []Problem{p}
		return
	}
	if c.cols.template >= 0 {
		row.Template = sheet.Clean(r.Cells[c.cols.template])
	}
	for f := range fieldCount {
		value, found, want := row.get(f), "", ""
		if f == fieldDate {
			value, found, want = c.dates.Parse(value)
		} else {
			found, want = c.checkValue(f, value, row)
		}
		if want != "" {
			row.Problems = append(row.Problems, c.problem(row, f, found, want))
		}
		row.set(f, strings.ToValidUTF8(value, "\uFFFD"))
	}
	c.checkDuplicate(row)
}

// checkValue says what is wrong with a value. A row whose document is made of a
// template needs no file.
func (c *checker) checkValue(f field, value string, row *Row) (found, want string) {
	if f == fieldFile && value == "" && (row.Template != "" || c.cols.templated) {
		return "", ""
	}
	return checkCell(f, value)
}

// checkShape checks that the record has a cell for every heading and none beyond.
func (c *checker) checkShape(r sheet.Record) (Problem, bool) {
	if r.Fault != "" {
		return Problem{Found: r.Fault, Want: "a cell that holds a quote to stand in quotes, and the quote to be doubled"}, false
	}
	headings := len(c.t.Header.Cells)
	for i := headings; i < len(r.Cells); i++ {
		if sheet.Trim(r.Cells[i]) == "" {
			continue
		}
		if c.t.Name != "" {
			return Problem{Column: sheet.ColumnLetters(i), Found: sheet.Quote(r.Cells[i]), Want: "nothing, for the column has no heading"}, false
		}
		return Problem{Found: fmt.Sprintf("%d cells", len(r.Cells)), Want: fmt.Sprintf("%d, one for each heading; a cell that holds a %s must stand in quotes", headings, c.separator())}, false
	}
	if len(r.Cells) < headings {
		return Problem{Found: sheet.Plural(len(r.Cells), "cell", "cells"), Want: fmt.Sprintf("%d, one for each heading", headings)}, false
	}
	return Problem{}, true
}

func (c *checker) separator() string {
	switch c.t.Delimiter {
	case ";":
		return "semicolon"
	case "tab":
		return "tab"
	}
	return "comma"
}

// problem is a complaint about a field of a row.
func (c *checker) problem(row *Row, f field, found, want string) Problem {
	return Problem{Row: row.Number, Line: row.Line, Column: columnLabel(c.t, c.cols, f), Field: f.name(), Found: found, Want: want}
}

// columnLabel is a field's column as the person knows it.
func columnLabel(t *sheet.Sheet, cols columns, f field) string {
	i := cols.position[f]
	if i < 0 {
		return f.name()
	}
	heading := strings.Trim(sheet.Quote(strings.Join(strings.Fields(t.Header.Cells[i]), " ")), `"`)
	if t.Name == "" {
		return heading
	}
	return heading + " (" + sheet.ColumnLetters(i) + ")"
}

// checkDuplicate complains about a file, or a person's certificate, that an earlier row
// has already.
func (c *checker) checkDuplicate(row *Row) {
	if row.File != "" {
		key := path.Clean(row.File)
		if first, ok := c.files[key]; ok {
			row.Problems = append(row.Problems, c.problem(row, fieldFile, fmt.Sprintf("%s, which row %d names too", sheet.Quote(row.File), first), "a file of its own for each row"))
		} else {
			c.files[key] = row.Number
		}
	}
	if row.Email == "" || row.Title == "" {
		return
	}
	key := foldName(row.Email) + "\x00" + row.Title + "\x00" + string(row.IssueDate)
	if first, ok := c.people[key]; ok {
		row.Problems = append(row.Problems, c.problem(row, fieldEmail, fmt.Sprintf("%s with the title and issue date of row %d", sheet.Quote(row.Email), first), "each person, title and date once"))
	} else {
		c.people[key] = row.Number
	}
}
