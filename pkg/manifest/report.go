package manifest

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/vault"
)

const (
	reasonColumn  = "reason"
	byteOrderMark = "\uFEFF" // without it Excel takes UTF-8 for the local code page
)

// ReportRow is a line of report.csv: what became of one row of a manifest.
type ReportRow struct {
	Row         int
	Status      string
	UUID        string
	ReferenceID string
	File        string
	Error       string
	vault.Content
	// Level is what the verified PDF reached, and LevelOwed the level that it gets later.
	Level, LevelOwed vault.SealLevel
}

// reportedFields are those that a report has had from the first release on.
var reportedFields = [...]vault.FieldID{vault.FieldName, vault.FieldEmail, vault.FieldTitle, vault.FieldIssueDate}

func reportHeadings() []string {
	headings := []string{"row", "status", "uuid", "reference_id", "file", "error"}
	for _, f := range reportedFields {
		headings = append(headings, f.Field().Key)
	}
	return append(append(headings, vault.LaterKeys()...), "level", "level_owed")
}

func (r ReportRow) cells() []string {
	cells := []string{strconv.Itoa(r.Row), r.Status, r.UUID, r.ReferenceID, r.File, r.Error}
	for _, f := range reportedFields {
		cells = append(cells, f.Get(r.Content))
	}
	return append(append(cells, r.LaterTexts()...), string(r.Level), string(r.LevelOwed))
}

// WriteReport writes report.csv: UTF-8 with a byte order mark, commas, one line
// for each row under a line of headings. Cells that a spreadsheet would run as
// formulas are defused with an apostrophe.
func WriteReport(w io.Writer, rows []ReportRow) error {
	return Table{Headings: reportHeadings(), Rows: func(yield func([]string, error) bool) {
		for _, r := range rows {
			if !yield(r.cells(), nil) {
				return
			}
		}
	}}.WriteCSV(w)
}

// ReportTable returns the cells of WriteReport, the headings first; those that a spreadsheet
// would run are defused.
func ReportTable(rows []ReportRow) [][]string {
	table := [][]string{reportHeadings()}
	for _, r := range rows {
		cells := r.cells()
		for i := range cells {
			cells[i] = sheet.EscapeFormula(cells[i])
		}
		table = append(table, cells)
	}
	return table
}

// WriteRejected writes rejected.csv: the rows that have a reason, by Row.Number,
// as they were given, with the reason in a last column. Read takes the file as a
// manifest again and pays no heed to that column. It keeps the manifest's
// delimiter, so that it opens where the manifest did.
func WriteRejected(w io.Writer, m *Manifest, reasons map[int]string) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	switch m.Delimiter {
	case ";":
		out.Comma = ';'
	case "tab":
		out.Comma = '\t'
	}
	if err := out.Write(m.withReason(m.Header, reasonColumn)); err != nil {
		return err
	}
	for _, r := range m.Rows {
		reason, ok := reasons[r.Number]
		if !ok {
			continue
		}
		if err := out.Write(m.withReason(r.Cells, reason)); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// withReason is a line for rejected.csv. A reason from an earlier run gives way,
// and cells beyond the headings stay behind the reason, where they are still in
// the way of reading the row and still to be seen.
func (m *Manifest) withReason(cells []string, reason string) []string {
	line := make([]string, 0, len(m.Header)+1)
	for i, h := range m.Header {
		if isReasonColumn(h) {
			continue
		}
		given := ""
		if i < len(cells) {
			given = cells[i]
		}
		line = append(line, sheet.EscapeFormula(replaceInvalid(given)))
	}
	line = append(line, sheet.EscapeFormula(reason))
	for _, beyond := range cells[min(len(cells), len(m.Header)):] {
		line = append(line, sheet.EscapeFormula(replaceInvalid(beyond)))
	}
	return line
}

// replaceInvalid shows bytes that are no text, and NUL, as U+FFFD: such a row is
// refused until somebody has corrected it.
func replaceInvalid(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// ReadTable reads what WriteReport wrote, as cells, the headings first.
func ReadTable(r io.Reader) ([][]string, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), byteOrderMark))).ReadAll()
}

// WriteTable writes cells as WriteReport does; they are defused already.
func WriteTable(w io.Writer, rows [][]string) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	return csv.NewWriter(w).WriteAll(rows)
}
