package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
)

// readODS reads one sheet of an OpenDocument spreadsheet (ODF 1.3, part 3), as
// LibreOffice, OpenOffice and Google Sheets write them.
func readODS(archive *zip.Reader, opts Options) (*Sheet, error) {
	var content []byte
	for _, f := range archive.File {
		var err error
		switch f.Name {
		case "content.xml":
			content, err = unpack(f, maxUnzipped)
		case "META-INF/manifest.xml":
			if contains(f, "encryption-data") {
				return nil, invalidError("a spreadsheet with a password: take the password off in LibreOffice, save, and try again")
			}
		}
		if err != nil {
			return nil, err
		}
	}
	if content == nil || bytes.Contains(content[:min(len(content), 4096)], []byte("<!DOCTYPE")) {
		return nil, invalidError(damaged)
	}
	r := &odsReader{limit: 3} // two rows with cells make a table
	if err := r.read(content); err != nil {
		return nil, err
	}
	name, err := chooseSheet(r.choices(), opts.Sheet)
	if err != nil {
		return nil, err
	}
	s := &Sheet{Name: name}
	r = &odsReader{want: name, hiddenStyles: r.hiddenStyles, row: func(row odsRow) error { return s.add(row.record(), opts) }}
	if err := r.read(content); err != nil {
		return nil, err
	}
	if err := s.requireHeader(opts); err != nil {
		return nil, err
	}
	if err := s.settleHidden(opts.Hidden); err != nil {
		return nil, err
	}
	s.padRecords()
	s.HiddenColumns = r.hiddenColumns
	s.unmerge(r.merged)
	return s, s.refuseUnstored(r.unstored)
}

// mostCells bounds what repeated rows and cells become.
const mostCells = 5_000_000

// odsRow is a row of a table with its filled cells.
type odsRow struct {
	at     int
	hidden bool
	cells  []string
	dates  []DateCell
}

func (r odsRow) record() Record {
	return Record{Row: r.at, Line: r.at, Cells: trimBlank(r.cells), Dates: r.dates, Hidden: r.hidden}
}

// odsTable is a table of the spreadsheet.
type odsTable struct {
	name   string
	hidden bool
	tables int // rows with more than one cell filled
}

// odsReader reads content.xml. With row, it reads the table want; without, it
// finds out which tables there are.
type odsReader struct {
	want  string
	row   func(odsRow) error
	limit int // rows that are counted of each table

	tables        []odsTable
	hiddenStyles  map[string]bool // styles of tables that are not shown
	hiddenColumns []int
	merged        []mergedRange
	unstored      []cellRef
	seen          int // cells of the table that is read

	style     string // the style under way
	depth     int    // of tables; one within a cell is no part of the sheet
	columns   int    // of the table, as far as they are described
	now       odsRow
	repeated  int // of the row
	cell      odsCell
	inCell    bool
	paragraph int // depth of paragraphs
	skip      int // depth of elements whose text is no part of the cell
}

// odsCell is the cell under way.
type odsCell struct {
	text     strings.Builder
	lines    int
	iso      string
	repeated int
	rows     int
	formula  bool
	typed    bool // its value has a type, so it has a value
	number   string
}

func (r *odsReader) choices() []sheetChoice {
	var all []sheetChoice
	for _, t := range r.tables {
		all = append(all, sheetChoice{name: t.name, visible: !t.hidden, table: t.tables >= 2})
	}
	return all
}

func (r *odsReader) read(content []byte) error {
	if r.hiddenStyles == nil {
		r.hiddenStyles = map[string]bool{}
	}
	d := xml.NewDecoder(bytes.NewReader(content))
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return invalidError(damaged)
		}
		switch token := token.(type) {
		case xml.StartElement:
			err = r.start(token)
		case xml.EndElement:
			err = r.end(token.Name)
		case xml.CharData:
			if r.inCell && r.paragraph > 0 && r.skip == 0 {
				r.cell.text.Write(token)
			}
		}
		if err != nil {
			return err
		}
	}
}

func (r *odsReader) start(e xml.StartElement) error {
	switch e.Name.Space + ":" + e.Name.Local {
	case "style:style":
		r.style = attribute(e, "name")
	case "style:table-properties":
		if attribute(e, "display") == "false" {
			r.hiddenStyles[r.style] = true
		}
	case "table:table":
		r.depth++
		if r.depth == 1 {
			name := attribute(e, "name")
			r.tables = append(r.tables, odsTable{name: name, hidden: r.hiddenStyles[attribute(e, "style-name")]})
			r.now, r.columns = odsRow{}, 0
		}
	case "table:table-column":
		r.startColumn(e)
	case "table:table-row":
		r.startRow(e)
	case "table:table-cell", "table:covered-table-cell":
		r.startCell(e)
	case "text:p", "text:h":
		if r.inCell && r.skip == 0 {
			if r.paragraph == 0 && r.cell.lines > 0 {
				r.cell.text.WriteByte('\n')
			}
			r.cell.lines++
		}
		r.paragraph++
	case "office:annotation", "draw:frame":
		r.skip++
	case "text:s":
		n, err := strconv.Atoi(attribute(e, "c"))
		if err != nil {
			n = 1
		}
		r.write(strings.Repeat(" ", min(max(n, 0), 20)))
	case "text:tab":
		r.write("\t")
	case "text:line-break":
		r.write("\n")
	}
	return nil
}

func (r *odsReader) write(text string) {
	if r.inCell && r.paragraph > 0 && r.skip == 0 {
		r.cell.text.WriteString(text)
	}
}

// repeat is how often an element stands for itself.
func repeat(e xml.StartElement, name string) int {
	n, err := strconv.Atoi(attribute(e, name))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

func (r *odsReader) startColumn(e xml.StartElement) {
	n := repeat(e, "number-columns-repeated")
	if visibility := attribute(e, "visibility"); r.reading() && (visibility == "collapse" || visibility == "filter") {
		for c := r.columns; c < min(r.columns+n, MaxColumns); c++ {
			r.hiddenColumns = append(r.hiddenColumns, c)
		}
	}
	r.columns += n
}

func (r *odsReader) startRow(e xml.StartElement) {
	if r.depth != 1 {
		return
	}
	visibility := attribute(e, "visibility")
	r.repeated = repeat(e, "number-rows-repeated")
	r.now = odsRow{at: r.now.at + 1, hidden: visibility == "collapse" || visibility == "filter"}
}

func (r *odsReader) startCell(e xml.StartElement) {
	if r.depth != 1 {
		return
	}
	r.inCell = true
	iso, _, _ := strings.Cut(attribute(e, "date-value"), "T")
	r.cell = odsCell{repeated: repeat(e, "number-columns-repeated"), rows: repeat(e, "number-rows-spanned"),
		formula: attribute(e, "formula") != "", typed: attribute(e, "value-type") != "", iso: iso, number: attribute(e, "value")}
}

// reading reports whether the table under way is the one that is read.
func (r *odsReader) reading() bool {
	return r.row != nil && len(r.tables) > 0 && r.tables[len(r.tables)-1].name == r.want
}

func (r *odsReader) end(name xml.Name) error {
	switch name.Space + ":" + name.Local {
	case "table:table":
		r.depth--
	case "table:table-row":
		if r.depth == 1 {
			return r.endRow()
		}
	case "table:table-cell", "table:covered-table-cell":
		if r.depth == 1 {
			r.endCell()
		}
	case "text:p", "text:h":
		r.paragraph--
	case "office:annotation", "draw:frame":
		r.skip--
	}
	return nil
}

func (r *odsReader) endCell() {
	r.inCell = false
	at, text := len(r.now.cells), r.cell.text.String()
	if iso, ok := serialDate(r.cell.number, false); ok && r.cell.iso == "" && strings.Count(text, "/")+strings.Count(text, "-")+strings.Count(text, ".") == 2 {
		r.cell.iso = iso // some programs keep dates as numbers
	}
	// A sheet is filled up with blank cells to its last column; one column more
	// than are read is enough to refuse those that are not blank.
	for range min(r.cell.repeated, MaxColumns+1-at) {
		if r.cell.iso != "" {
			r.now.dates = append(r.now.dates, DateCell{len(r.now.cells), r.cell.iso})
		}
		if r.reading() && r.cell.formula && !r.cell.typed && r.cell.lines == 0 {
			r.unstored = append(r.unstored, cellRef{r.now.at, len(r.now.cells)})
		}
		r.now.cells = append(r.now.cells, text)
	}
	if r.reading() && r.cell.rows > 1 && len(r.merged) < 10_000 {
		r.merged = append(r.merged, mergedRange{column: at, top: r.now.at, bottom: r.now.at + r.cell.rows - 1})
	}
}

func (r *odsReader) endRow() error {
	filled := 0
	for _, c := range r.now.cells {
		if Trim(c) != "" {
			filled++
		}
	}
	n := r.repeated
	if t := &r.tables[len(r.tables)-1]; filled > 1 {
		t.tables = min(t.tables+n, max(r.limit, 2))
	}
	first := r.now.at
	for i := 0; r.reading() && filled > 0 && i < n; i++ {
		row := r.now
		row.at, row.cells = first+i, append([]string(nil), r.now.cells...)
		if len(trimBlank(row.cells)) > MaxColumns {
			return invalidError("row %d of the sheet reaches to column %s: at most %d columns are read", row.at, ColumnLetters(len(row.cells)-1), MaxColumns)
		}
		if r.seen += len(row.cells); r.seen > mostCells {
			return invalidError("the sheet holds more than %d cells: copy the table into a new spreadsheet", mostCells)
		}
		if err := r.row(row); err != nil {
			return err
		}
	}
	r.now.at += n - 1
	return nil
}
