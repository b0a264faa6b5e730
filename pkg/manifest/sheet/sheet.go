// Package sheet reads CSV text, XLSX workbooks and ODS spreadsheets into lines of
// cells, before anyone asks what the cells mean. It finds out the kind of file, the encoding
// and the delimiter by content, keeps count of where every line stands, and
// stays within bounds of memory and time on any input.
package sheet

import (
	"fmt"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Limits of one file.
const (
	MaxBytes   = 64 << 20 // of the file as given
	MaxColumns = 256
)

// Options say how to read a file. Delimiter, Encoding and Sheet are found out
// where they are "".
type Options struct {
	Delimiter string            // "," ";" or "tab"
	Encoding  string            // utf-8, utf-16, windows-1252 and its kin
	Sheet     string            // of a workbook
	MaxRows   int               // most lines with content under the headings
	Headings  string            // the headings that are wanted, for messages
	Known     func(string) bool // reports whether a heading is one that is looked for
	Hidden    string            // rows that are hidden or filtered out: HiddenRead, HiddenSkip, or "" to ask
}

// What becomes of the rows that a workbook hides or filters out.
const (
	HiddenRead = "read"
	HiddenSkip = "skip"
)

// Sheet is a file as lines of cells.
type Sheet struct {
	Header    Record
	Records   []Record // under the headings, blank ones left out
	Delimiter string   // ",", ";" or "tab"; "" for a workbook
	Encoding  string   // "utf-8", "utf-16le", ...; "" for a workbook
	Name      string   // of the workbook's sheet; "" for CSV
	Notes     []string

	HiddenColumns []int // of a workbook

	workbook *workbook
}

// Record is one line of a sheet.
type Record struct {
	Row      int // counted as a spreadsheet does: blank lines count, line breaks inside a cell do not
	Line     int // counted as a text editor does; for a workbook the same as Row
	Cells    []string
	Dates    []DateCell // cells of a workbook that are dates, whatever they look like
	RealDate bool       // the issue date is a number of the workbook, not text
	Hidden   bool       // hidden or filtered out
	Fault    string     // why the line could not be split into cells; "" when it could
}

// DateCell is a cell that a workbook keeps as a date.
type DateCell struct {
	Column int
	ISO    string // YYYY-MM-DD
}

// DateAt is the date in a column, "" where the cell is none.
func (l Record) DateAt(column int) string {
	for _, d := range l.Dates {
		if d.Column == column {
			return d.ISO
		}
	}
	return ""
}

// Formatting says how cells are to read, once it is known what the columns are.
type Formatting struct {
	Issued int   // the column of issue dates; -1 for none
	Dates  []int // columns of dates, which become YYYY-MM-DD
	Shown  []int // columns to read as the workbook shows them
	Padded []int // columns whose numbers keep the zeros that the workbook shows before them
}

// FormatCells writes the cells of a workbook as f says. Text has its form already.
func (s *Sheet) FormatCells(f Formatting) error {
	if s.workbook != nil {
		return s.workbook.formatCells(s, f)
	}
	for i := range s.Records {
		for _, column := range f.Dates {
			if r := &s.Records[i]; r.DateAt(column) != "" {
				r.Cells[column], r.RealDate = r.DateAt(column), r.RealDate || column == f.Issued
			}
		}
	}
	return nil
}

// isBlank reports whether no cell has anything in it.
func (l Record) isBlank() bool {
	if l.Fault != "" {
		return false
	}
	for _, c := range l.Cells {
		if Trim(c) != "" {
			return false
		}
	}
	return true
}

// add takes a line as the headings or as one under them.
func (s *Sheet) add(l Record, opts Options) error {
	switch {
	case l.isBlank():
	case s.Header.Row == 0:
		s.Header = l
		return checkHeader(l)
	case len(s.Records) == opts.MaxRows:
		return invalidError("more than %d rows: split the manifest into several", opts.MaxRows)
	default:
		s.Records = append(s.Records, l)
	}
	return nil
}

// requireHeader is nil when the sheet has headings.
func (s *Sheet) requireHeader(opts Options) error {
	if s.Header.Row == 0 {
		return invalidError("no headings: the first line must name the columns %s", opts.Headings)
	}
	return nil
}

// checkHeader refuses headings that no person wrote.
func checkHeader(l Record) error {
	if l.Fault != "" {
		return invalidError("line %d, the headings: found %s", l.Line, l.Fault)
	}
	if len(l.Cells) > MaxColumns {
		return invalidError("%d columns: at most %d are read", len(l.Cells), MaxColumns)
	}
	for i, c := range l.Cells {
		for _, r := range c {
			if what := Unprintable(r, true); what != "" {
				return invalidError("line %d, the headings: found %s in the heading of column %d. Is this a CSV or XLSX file? If so, save it again", l.Line, what, i+1)
			}
		}
	}
	return nil
}

func invalidError(format string, args ...any) error {
	return fault.New(fault.Invalid, fmt.Sprintf(format, args...))
}

// quoteAll quotes names for a message.
func quoteAll(names []string) string {
	var quoted []string
	for _, n := range names[:min(len(names), 20)] {
		quoted = append(quoted, Quote(n))
	}
	return strings.Join(quoted, ", ")
}
