// Package manifest reads the list of certificates that a registrar submits, as
// CSV or as an XLSX workbook, into rows. Every complaint names the row and the
// column, what was found there and what is wanted instead.
//
// Nothing is guessed where a guess could put a wrong name or date on a
// certificate: a date that allows two readings, or text whose encoding cannot
// be told, stops the reading and says which option settles it.
package manifest

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/vault"
)

// Limits of one manifest.
const (
	DefaultMaxRows = 10_000
	LargestMaxRows = 100_000
)

// Encodings are those that a list of people comes in, for help.
const Encodings = sheet.Encodings

// Options say how to read a manifest. The zero value finds everything out.
type Options struct {
	Name       string            // the file as the user named it, for messages; "" or "-" is standard input
	DateFormat string            // YYYY-MM-DD, DD/MM/YYYY, MM/DD/YYYY, D.M.YYYY and the like; "" finds out
	Delimiter  string            // "," ";" or "tab"; "" finds out
	Encoding   string            // utf-8, utf-16, windows-1252 and its kin; "" finds out
	Map        map[string]string // column heading, or several joined by +, to field name or -, before any other matching
	Sheet      string            // of a workbook; "" is the only one that holds a table
	Hidden     string            // what becomes of rows that a workbook hides or filters out: "read", "skip", "" to ask
	Templated  bool              // rows may do without a file: their document is made
	Strict     bool              // what is odd refuses the row, not only what is wrong
	Today      string            // YYYY-MM-DD, against which dates are odd; "" is no check
	// SharedAddresses lets several people have one address, title and issue date.
	SharedAddresses bool
	MaxRows         int // 0 is DefaultMaxRows; more than LargestMaxRows is LargestMaxRows
}

// Manifest is what a file said.
type Manifest struct {
	Header    []string // headings as given
	Rows      []Row    // rows with any content, in the file's order
	Extra     []string // headings that name no field; their cells are only carried along
	Digest    [32]byte // SHA-256 of the file
	Delimiter string   // ",", ";" or "tab"; "" for a workbook
	Encoding  string   // "utf-8", "utf-16le", ...; "" for a workbook
	Sheet     string   // the sheet read; "" for CSV
	Columns   []Column // what each column feeds
	Defaults  []string // what is filled in that no cell says
	Notes     []string // what a person should know and nothing hinges on

	fileColumn string // the file column as complaints name it
	fileAt     int    // where it stands, -1 where it does not
	strict     bool   // what is odd refuses a row
}

// Row is one certificate that is wanted.
//
// The first row with content under the header is number 1; blank lines after it
// count, so that in an ordinary file the spreadsheet's row is Number + 1.
type Row struct {
	Number int // as reports and complaints count
	Line   int // line of the CSV, or row of the sheet, where it begins

	vault.Content        // trimmed, NFC; IssueDate is "" where none is given
	File          string // likewise
	Template      string // what the row's document is made with; "" where it does not say

	Cells    []string  // as given, in the header's order; dates of a workbook as YYYY-MM-DD
	Problems []Problem // why the row cannot be issued; none: it can
	Warnings []Problem // what is odd about it

	sheetRow int // as a spreadsheet counts
}

// Problem is one complaint about a row.
type Problem struct {
	Row    int    // Row.Number
	Line   int    // Row.Line
	Cell   string // as a spreadsheet names it, such as E18; "" for the row as a whole
	Column string // heading as given; "" for the row as a whole
	Field  string // the field's name where the column is a known one, such as applicant_email
	Found  string // what stands there, in quotes where it is the cell's own text
	Want   string // what should stand there; "" for a mere remark, which Found is
}

// String is the complaint as one line for a person.
func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "row %d", p.Row)
	if p.Line != p.Row+1 && p.Line > 0 {
		fmt.Fprintf(&b, " (line %d)", p.Line)
	}
	switch {
	case p.Column != "" && p.Cell != "":
		b.WriteString(", column " + p.Column + " (" + p.Cell + ")")
	case p.Column != "":
		b.WriteString(", column " + p.Column)
	case p.Cell != "":
		b.WriteString(", cell " + p.Cell)
	}
	if p.Want == "" {
		b.WriteString(": " + p.Found)
	} else {
		b.WriteString(": found " + p.Found + ", want " + p.Want)
	}
	return b.String()
}

// Warnings are all remarks about all rows, in the file's order.
func (m *Manifest) Warnings() []Problem {
	var all []Problem
	for _, r := range m.Rows {
		all = append(all, r.Warnings...)
	}
	return all
}

// Problems are all complaints about all rows, in the file's order.
func (m *Manifest) Problems() []Problem {
	var all []Problem
	for _, r := range m.Rows {
		all = append(all, r.Problems...)
	}
	return all
}

// Read reads a manifest. An error is about the manifest as a whole and of kind
// fault.Invalid; what is wrong with a single row is in that row's Problems.
func Read(data []byte, opts Options) (*Manifest, error) {
	opts = opts.withDefaults()
	t, err := sheet.Read(data, sheet.Options{
		Delimiter: opts.Delimiter, Encoding: opts.Encoding, Sheet: opts.Sheet, Hidden: opts.Hidden, MaxRows: opts.MaxRows,
		Headings: strings.Join(fieldNames(), ", "),
		Known:    func(heading string) bool { return len(meanings(heading)) > 0 || isMapped(heading, opts.Map) },
	})
	if err != nil {
		return nil, withFileName(opts, err)
	}
	if len(t.Records) == 0 {
		return nil, withFileName(opts, invalidError("there are headings but no rows: add one row for each certificate"))
	}
	cols, err := matchHeader(t, opts)
	if err != nil {
		return nil, refuse(t, nil, withFileName(opts, suggestHeaderRow(err, t, opts)))
	}
	if err := t.FormatCells(sheet.Formatting{Issued: cols.first(fieldDate), Dates: cols.dates(), Shown: cols.extra, Padded: cols.texts()}); err != nil {
		return nil, refuse(t, &cols, withFileName(opts, err))
	}
	c, err := makeRows(t, cols, opts)
	if err != nil {
		return nil, refuse(t, &cols, withFileName(opts, err))
	}
	m := &Manifest{
		Header: t.Header.Cells, Rows: c.rows, Digest: sha256.Sum256(data), Columns: cols.describe(t), Notes: append(t.Notes, c.notes()...),
		Delimiter: t.Delimiter, Encoding: t.Encoding, Sheet: t.Name, strict: opts.Strict,
	}
	m.fileColumn, m.fileAt = columnLabel(t, &cols, fieldFile), cols.first(fieldFile)
	for _, i := range cols.extra {
		if sheet.Trim(t.Header.Cells[i]) != "" {
			m.Extra = append(m.Extra, t.Header.Cells[i])
		}
	}
	m.Defaults = m.describeDefaults(&cols)
	return m, nil
}

// withDefaults fills in defaults and bounds.
func (o Options) withDefaults() Options {
	if o.Name == "" || o.Name == "-" {
		o.Name = "standard input"
	}
	if o.MaxRows <= 0 {
		o.MaxRows = DefaultMaxRows
	}
	o.MaxRows = min(o.MaxRows, LargestMaxRows)
	return o
}

// invalidError is a complaint about the whole manifest, yet without its name.
func invalidError(format string, args ...any) error {
	return fault.Newf(fault.Invalid, format, args...)
}

// withFileName puts the manifest's name before a complaint.
func withFileName(opts Options, err error) error {
	message, ok := fault.Message(err)
	if !ok {
		return fault.Wrap(fault.Invalid, err, opts.Name+": cannot be read")
	}
	return fault.New(fault.Invalid, opts.Name+": "+message)
}
