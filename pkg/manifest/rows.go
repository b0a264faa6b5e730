package manifest

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/gocarina/gocsv"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/locale"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/vault"
)

// checker looks at rows one after the other and remembers what it has seen.
type checker struct {
	t        *sheet.Sheet
	cols     columns
	dates    map[field]locale.DateParser
	today    string
	strict   bool
	shared   bool              // people may share addresses
	files    map[string]int    // file to the row that names it first
	people   map[string]int    // e-mail, title and date likewise
	domains  map[string]string // of addresses: what each was probably meant to be
	rows     []Row
	firstRow int
	taken    []*taken // what was understood though it was not written as it should
}

// taken is a way of writing that was understood, with the rows that have it.
type taken struct {
	field field
	how   string
	rows  int
	first string // an example
}

// rowValues is what a row says, as the CSV library fills it.
type rowValues struct {
	vault.Content
	File string `csv:"file"`
}

// fieldReader gives a table to the CSV library: a column for each field that the table has, by the
// field's own name, with the columns that feed it joined.
type fieldReader struct {
	cols    columns
	records []sheet.Record
	begun   bool
}

// Read implements gocsv.CSVReader.
func (s *fieldReader) Read() ([]string, error) {
	cells := make([]string, fieldCount)
	if !s.begun {
		s.begun = true
		for f := range fieldCount {
			cells[f] = f.name()
		}
		return cells, nil
	}
	if len(s.records) == 0 {
		return nil, io.EOF
	}
	for f := range fieldCount {
		cells[f] = s.cols.join(f, s.records[0])
	}
	s.records = s.records[1:]
	return cells, nil
}

// ReadAll implements gocsv.CSVReader.
func (s *fieldReader) ReadAll() ([][]string, error) {
	all := make([][]string, 0, 1+len(s.records))
	for {
		cells, err := s.Read()
		if err != nil {
			return all, nil //nolint:nilerr // Read ends with io.EOF alone
		}
		all = append(all, cells)
	}
}

// decodeRows fills a value for each record.
func decodeRows(t *sheet.Sheet, cols columns) ([]rowValues, error) {
	var out []rowValues
	if err := gocsv.UnmarshalCSV(&fieldReader{cols: cols, records: t.Records}, &out); err != nil {
		return nil, fmt.Errorf("filling rows from a table: %w", err)
	}
	if len(out) != len(t.Records) {
		return nil, fmt.Errorf("filling rows from a table: %d of %d records", len(out), len(t.Records))
	}
	return out, nil
}

// makeRows turns a table into checked rows.
func makeRows(t *sheet.Sheet, cols columns, opts Options) (*checker, error) {
	c := &checker{t: t, cols: cols, today: opts.Today, strict: opts.Strict, shared: opts.SharedAddresses, firstRow: t.Records[0].Row, rows: make([]Row, len(t.Records)),
		files: make(map[string]int, len(t.Records)), people: make(map[string]int, len(t.Records)), domains: map[string]string{}}
	values, err := decodeRows(t, cols)
	if err != nil {
		return nil, err
	}
	for i, r := range t.Records {
		row := &c.rows[i]
		*row = Row{Number: c.rowNumber(r), Line: r.Line, Cells: r.Cells, sheetRow: r.Row, Content: values[i].Content, File: values[i].File}
		for f := range fieldCount {
			row.set(f, c.clean(row, f, row.get(f)))
		}
	}
	c.dates = map[field]locale.DateParser{}
	for f := range fieldCount {
		if f.isDate() {
			if c.dates[f], err = c.detectDates(f, opts); err != nil {
				return nil, err
			}
		}
	}
	for i := range c.rows {
		c.checkRow(t.Records[i], &c.rows[i])
	}
	return c, nil
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

// clean takes off a value what people and programs put around it, and notes that.
func (c *checker) clean(row *Row, f field, text string) string {
	if text == "" {
		return ""
	}
	cleaned, how := text, ""
	switch f {
	case fieldEmail:
		cleaned, how = cleanEmail(text)
	case fieldName, fieldDate, fieldExpiry, fieldFile:
		if bare, quoted := unquote(text); quoted {
			cleaned, how = bare, "in quotes"
		}
	}
	if f == fieldFile && strings.Contains(cleaned, `\`) {
		cleaned, how = strings.ReplaceAll(cleaned, `\`, "/"), "with backslashes"
	}
	if how != "" {
		c.take(row, f, how, text, cleaned)
	}
	return cleaned
}

// take notes that a value was understood.
func (c *checker) take(row *Row, f field, how, given, read string) {
	for _, t := range c.taken {
		if t.field == f && t.how == how {
			t.rows++
			return
		}
	}
	c.taken = append(c.taken, &taken{field: f, how: how, rows: 1, first: fmt.Sprintf("row %d: %s is read as %s", row.Number, sheet.Quote(given), sheet.Quote(read))})
}

// notes say what was understood.
func (c *checker) notes() (notes []string) {
	for _, t := range c.taken {
		notes = append(notes, fmt.Sprintf("%s: %s written %s (%s)", columnLabel(c.t, &c.cols, t.field), sheet.Plural(t.rows, "value is", "values are"), t.how, t.first))
	}
	return notes
}

// detectDates finds how a column of dates is to be read.
func (c *checker) detectDates(f field, opts Options) (locale.DateParser, error) {
	if opts.DateFormat != "" {
		return locale.ParseDateFormat(opts.DateFormat)
	}
	var column locale.DateOrderDetector
	for i := range c.rows {
		row, record := &c.rows[i], c.t.Records[i]
		if text := row.get(f); text != "" && !isTerm(f, text) {
			column.Add(row.Number, text, f == fieldDate && record.RealDate || record.DateAt(c.cols.first(f)) != "")
		}
	}
	reader, err := column.Detect()
	if message, ok := fault.Message(err); ok {
		return reader, invalidError("column %s: %s", c.columnWithLetter(f), message)
	}
	return reader, err
}

// isTerm reports whether a value says for how long a certificate is valid, in place of a date.
func isTerm(f field, value string) bool {
	_, err := vault.ParseTerm(value)
	return err == nil && f == fieldExpiry
}

// rowNumber is a line's number among the rows.
func (c *checker) rowNumber(r sheet.Record) int { return r.Row - c.firstRow + 1 }

// checkRow checks one row, and gives its date the form in which it is kept.
func (c *checker) checkRow(r sheet.Record, row *Row) {
	if p, ok := c.checkShape(r); !ok {
		// Cells may stand under the wrong headings, so nothing is said of them.
		p.Row, p.Line = row.Number, row.Line
		if p.Column != "" {
			p.Cell, p.Column = p.Column+strconv.Itoa(r.Row), ""
		}
		row.Content, row.File, row.Problems = vault.Content{}, "", []Problem{p}
		return
	}
	if c.cols.template >= 0 {
		row.Template = sheet.Clean(r.Cells[c.cols.template])
	}
	for f := range fieldCount {
		value, found, want := row.get(f), "", ""
		if reader, dated := c.dates[f]; !dated {
			found, want = c.checkValue(f, value, row)
		} else if !isTerm(f, value) {
			value, found, want = reader.Parse(value)
		}
		if want != "" {
			row.Problems = append(row.Problems, c.problem(row, f, found, want))
		}
		row.set(f, strings.ToValidUTF8(value, "\uFFFD"))
		if odd := c.suspicion(f, value); odd != "" && want == "" {
			c.warn(row, f, odd)
		}
	}
	c.checkDuplicate(row)
}

// warn remarks on a value, or refuses the row for it where warnings are errors.
func (c *checker) warn(row *Row, f field, text string) {
	w := c.problem(row, f, text, "")
	if c.strict {
		row.Problems = append(row.Problems, w)
		return
	}
	row.Warnings = append(row.Warnings, w)
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
	return Problem{Row: row.Number, Line: row.Line, Cell: row.cell(c.cols.first(f)), Column: columnLabel(c.t, &c.cols, f), Field: f.name(), Found: found, Want: want}
}

// cell names the row's cell in a column; "" where there is none.
func (r *Row) cell(column int) string {
	if column < 0 || r.sheetRow == 0 {
		return ""
	}
	return sheet.CellName(column, r.sheetRow)
}

// columnLabel is a field's column as the person knows it.
func columnLabel(t *sheet.Sheet, cols *columns, f field) string {
	var names []string
	for _, i := range cols.position[f] {
		names = append(names, strings.Trim(sheet.Quote(strings.Join(strings.Fields(t.Header.Cells[i]), " ")), `"`))
	}
	if len(names) == 0 {
		return f.name()
	}
	return strings.Join(names, " + ")
}

// columnWithLetter is a field's column for a complaint about all of it.
func (c *checker) columnWithLetter(f field) string {
	label := columnLabel(c.t, &c.cols, f)
	if i := c.cols.first(f); i >= 0 && c.t.Name != "" {
		label += " (" + sheet.ColumnLetters(i) + ")"
	}
	return label
}

// checkDuplicate complains about a person's certificate that an earlier row has
// already, and remarks on a file that an earlier row names.
func (c *checker) checkDuplicate(row *Row) {
	if row.File != "" {
		key := path.Clean(row.File)
		if first, ok := c.files[key]; ok {
			c.warn(row, fieldFile, fmt.Sprintf("%s is the file of row %d too", sheet.Quote(row.File), first))
		} else {
			c.files[key] = row.Number
		}
	}
	if row.Email == "" || row.Title == "" {
		return
	}
	key := foldName(row.Email) + "\x00" + row.Title + "\x00" + string(row.IssueDate)
	first, ok := c.earlierOf(key, row)
	if !ok {
		return
	}
	earlier := c.rowNumbered(first)
	if vault.FoldName(earlier.Name) == vault.FoldName(row.Name) || earlier.Name == "" || row.Name == "" {
		row.Problems = append(row.Problems, c.problem(row, fieldEmail, fmt.Sprintf("%s with the title and issue date of row %d", sheet.Quote(row.Email), first), "each person, title and date once"))
		return
	}
	row.Problems = append(row.Problems, c.problem(row, fieldEmail,
		fmt.Sprintf("%s, the address of another person, %s in row %d, with the same title and issue date", sheet.Quote(row.Email), sheet.Quote(earlier.Name), first),
		fmt.Sprintf("an address of %s's own, or another title or date for one of them; where people share addresses, the setting issuing.shared_addresses lets names or external IDs tell them apart (vecctl institution set --shared-addresses)", row.Name)))
}

// earlierOf returns the earlier row that a row repeats, and notes the row where there is none.
// Where people share addresses, external IDs tell them apart, or names where one of two has
// no external ID.
func (c *checker) earlierOf(key string, row *Row) (first int, ok bool) {
	if !c.shared {
		if first, ok = c.people[key]; !ok {
			c.people[key] = row.Number
		}
		return first, ok
	}
	byName, byID := key+"\x00name "+vault.FoldName(row.Name), key+"\x00id "+row.ExternalID
	if row.ExternalID != "" {
		if first, ok = c.people[byID]; ok {
			return first, true
		}
		c.people[byID] = row.Number
	}
	if first, ok = c.people[byName]; !ok {
		c.people[byName] = row.Number
	}
	return first, ok && (row.ExternalID == "" || c.rowNumbered(first).ExternalID == "")
}

func (c *checker) rowNumbered(number int) *Row {
	i, _ := slices.BinarySearchFunc(c.rows, number, func(r Row, n int) int { return cmp.Compare(r.Number, n) })
	return &c.rows[i]
}
