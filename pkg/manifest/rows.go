package manifest

import (
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/gocarina/gocsv"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/cell"
	"github.com/vecctl/vecctl/pkg/manifest/day"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// wanted is a row of the manifest by field, as the CSV library fills it.
type wanted struct {
	Title     string `csv:"certificate_title"`
	Name      string `csv:"full_name"`
	Email     string `csv:"applicant_email"`
	IssueDate string `csv:"issue_date"`
	Details   string `csv:"details"`
	File      string `csv:"file"`
}

func (w *wanted) of(f field) *string {
	return [fieldCount]*string{&w.Title, &w.Name, &w.Email, &w.IssueDate, &w.Details, &w.File}[f]
}

// source hands a table to the CSV library with the headings as it expects them.
type source struct {
	header []string
	lines  []sheet.Line
}

func (s *source) Read() ([]string, error) {
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

func (s *source) ReadAll() ([][]string, error) {
	all := make([][]string, 0, 1+len(s.lines))
	for {
		cells, err := s.Read()
		if err != nil {
			return all, nil
		}
		all = append(all, cells)
	}
}

// typed fills a row for each record.
func typed(t *sheet.Sheet, cols columns) ([]wanted, error) {
	header := make([]string, len(t.Header.Cells))
	for f, i := range cols.of {
		if i >= 0 {
			header[i] = fieldNames[f]
		}
	}
	var out []wanted
	err := gocsv.UnmarshalCSV(&source{header: header, lines: t.Lines}, &out)
	return out[:min(len(out), len(t.Lines))], err
}

// checker looks at rows one after the other and remembers what it has seen.
type checker struct {
	t        *sheet.Sheet
	cols     columns
	dates    day.Reader
	files    map[string]int // file to the row that names it first
	people   map[string]int // e-mail, title and date likewise
	firstRow int
}

// makeRows turns a table into checked rows.
func makeRows(t *sheet.Sheet, cols columns, opts Options) ([]Row, error) {
	values, err := typed(t, cols)
	if err != nil {
		return nil, err
	}
	c := &checker{t: t, cols: cols, firstRow: t.Lines[0].At, files: make(map[string]int, len(values)), people: make(map[string]int, len(values))}
	for i := range values {
		for f := range fieldCount {
			v := values[i].of(f)
			*v = cell.Clean(*v)
		}
	}
	if c.dates, err = c.settleDates(values, opts); err != nil {
		return nil, err
	}
	rows := make([]Row, len(values))
	for i := range values {
		rows[i] = c.row(t.Lines[i], &values[i])
	}
	return rows, nil
}

// settleDates finds how the column of dates is to be read.
func (c *checker) settleDates(values []wanted, opts Options) (day.Reader, error) {
	if opts.DateFormat != "" {
		return day.Format(opts.DateFormat)
	}
	var column day.Column
	for i := range values {
		if s := values[i].IssueDate; s != "" {
			column.Add(c.number(c.t.Lines[i]), s, c.t.Lines[i].RealDate)
		}
	}
	reader, err := column.Settle()
	if message, ok := fault.Message(err); ok {
		return reader, invalid("column %s: %s", label(c.t, c.cols, fieldDate), message)
	}
	return reader, err
}

// number is a line's number among the rows.
func (c *checker) number(r sheet.Line) int { return r.At - c.firstRow + 1 }

// row checks one row.
func (c *checker) row(r sheet.Line, w *wanted) Row {
	row := Row{Number: c.number(r), Line: r.Line, Cells: r.Cells}
	if p, ok := c.shape(r); !ok {
		// Cells may stand under the wrong headings, so nothing is said of them.
		p.Row, p.Line = row.Number, row.Line
		row.Problems = []Problem{p}
		return row
	}
	if c.cols.template >= 0 {
		row.Template = cell.Clean(r.Cells[c.cols.template])
	}
	date := w.IssueDate
	w.IssueDate = ""
	for f := range fieldCount {
		found, want := "", ""
		if f == fieldDate {
			w.IssueDate, found, want = c.dates.Read(date)
		} else {
			found, want = c.cell(f, *w.of(f), row)
		}
		if want != "" {
			row.Problems = append(row.Problems, c.problem(row, f, found, want))
		}
		*w.of(f) = strings.ToValidUTF8(*w.of(f), "\uFFFD")
	}
	row.Title, row.Name, row.Email, row.Details, row.File, row.IssueDate = w.Title, w.Name, w.Email, w.Details, w.File, w.IssueDate
	c.twice(&row)
	return row
}

// cell says what is wrong with a value. A row whose document is made of a
// template needs no file.
func (c *checker) cell(f field, value string, row Row) (found, want string) {
	if f == fieldFile && value == "" && (row.Template != "" || c.cols.templated) {
		return "", ""
	}
	return checkCell(f, value)
}

// shape checks that the record has a cell for every heading and none beyond.
func (c *checker) shape(r sheet.Line) (Problem, bool) {
	if r.Fault != "" {
		return Problem{Found: r.Fault, Want: "a cell that holds a quote to stand in quotes, and the quote to be doubled"}, false
	}
	headings := len(c.t.Header.Cells)
	for i := headings; i < len(r.Cells); i++ {
		if cell.Trim(r.Cells[i]) == "" {
			continue
		}
		if c.t.Name != "" {
			return Problem{Column: cell.Letters(i), Found: cell.Quote(r.Cells[i]), Want: "nothing, for the column has no heading"}, false
		}
		return Problem{Found: fmt.Sprintf("%d cells", len(r.Cells)), Want: fmt.Sprintf("%d, one for each heading; a cell that holds a %s must stand in quotes", headings, c.separator())}, false
	}
	if len(r.Cells) < headings {
		return Problem{Found: cell.Count(len(r.Cells), "cell", "cells"), Want: fmt.Sprintf("%d, one for each heading", headings)}, false
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
func (c *checker) problem(row Row, f field, found, want string) Problem {
	return Problem{Row: row.Number, Line: row.Line, Column: label(c.t, c.cols, f), Field: fieldNames[f], Found: found, Want: want}
}

// label is a field's column as the person knows it.
func label(t *sheet.Sheet, cols columns, f field) string {
	i := cols.of[f]
	if i < 0 {
		return fieldNames[f]
	}
	heading := strings.Trim(cell.Quote(strings.Join(strings.Fields(t.Header.Cells[i]), " ")), `"`)
	if t.Name == "" {
		return heading
	}
	return heading + " (" + cell.Letters(i) + ")"
}

// twice complains about a file, or a person's certificate, that an earlier row
// has already.
func (c *checker) twice(row *Row) {
	if row.File != "" {
		key := path.Clean(row.File)
		if first, ok := c.files[key]; ok {
			row.Problems = append(row.Problems, c.problem(*row, fieldFile, fmt.Sprintf("%s, which row %d names too", cell.Quote(row.File), first), "a file of its own for each row"))
		} else {
			c.files[key] = row.Number
		}
	}
	if row.Email == "" || row.Title == "" {
		return
	}
	key := folded(row.Email) + "\x00" + row.Title + "\x00" + row.IssueDate
	if first, ok := c.people[key]; ok {
		row.Problems = append(row.Problems, c.problem(*row, fieldEmail, fmt.Sprintf("%s with the title and issue date of row %d", cell.Quote(row.Email), first), "each person, title and date once"))
	} else {
		c.people[key] = row.Number
	}
}
