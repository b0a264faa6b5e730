package manifest

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/vault"
)

// maxComments is how many cells of a workbook get a comment; the reason column has all.
const maxComments = 2000

// rejectedBook is a workbook of rejected rows that is being written.
type rejectedBook struct {
	*excelize.File
	sheet                   string
	text, date, bad, badDay int // styles
	comments                int
}

// WriteRejectedWorkbook writes rejected.xlsx: the rows of WriteRejected, the cells at fault
// in colour and with a comment that says what is wanted. Dates are dates; all else is text,
// so that no program drops leading zeros or writes dates its own way.
func WriteRejectedWorkbook(w io.Writer, m *Manifest, reasons map[int]string) (err error) {
	b := rejectedBook{File: excelize.NewFile(), sheet: "rejected"}
	defer func() {
		if e := b.Close(); err == nil {
			err = e
		}
	}()
	if err := b.SetSheetName(b.GetSheetName(0), b.sheet); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	if err := b.addStyles(); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	columns := make([]int, 0, len(m.Header)) // of the manifest, in the order of the workbook
	for i, h := range m.Header {
		if isReasonColumn(h) {
			continue
		}
		columns = append(columns, i)
		if err := b.set(len(columns)-1, 1, h, b.text); err != nil {
			return err
		}
	}
	if err := b.set(len(columns), 1, reasonColumn, b.text); err != nil {
		return err
	}
	line := 1
	for i := range m.Rows {
		if reason, ok := reasons[m.Rows[i].Number]; ok {
			line++
			if err := b.writeRow(m, &m.Rows[i], columns, line, reason); err != nil {
				return err
			}
		}
	}
	return b.Write(w)
}

// addStyles makes the styles of cells, and the widths of columns.
func (b *rejectedBook) addStyles() (err error) {
	day := "yyyy-mm-dd"
	const asText = 49 // the built-in format "@"
	fill := excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"FFC7CE"}}
	for _, one := range []struct {
		to    *int
		style excelize.Style
	}{
		{&b.text, excelize.Style{NumFmt: asText}},
		{&b.date, excelize.Style{CustomNumFmt: &day}},
		{&b.bad, excelize.Style{NumFmt: asText, Fill: fill}},
		{&b.badDay, excelize.Style{CustomNumFmt: &day, Fill: fill}},
	} {
		if *one.to, err = b.NewStyle(&one.style); err != nil {
			return err
		}
	}
	const width = 22
	return b.SetColWidth(b.sheet, "A", "Z", width)
}

// writeRow writes a row, as it was given.
func (b *rejectedBook) writeRow(m *Manifest, row *Row, columns []int, line int, reason string) error {
	days, faults := map[int]string{}, m.faults(row, reason)
	for _, f := range vault.Fields() {
		if f.Kind == vault.DateField {
			days[m.columnOf(f.Key)] = f.Get(row.Content)
		}
	}
	for to, i := range columns {
		given := ""
		if i < len(row.Cells) {
			given = replaceInvalid(row.Cells[i])
		}
		fix, bad := faults[i]
		style, value := b.text, any(given)
		if day, err := time.Parse(time.DateOnly, days[i]); err == nil && given != "" {
			style, value = b.date, day
		}
		switch {
		case bad && style == b.date:
			style = b.badDay
		case bad:
			style = b.bad
		}
		if err := b.set(to, line, value, style); err != nil {
			return err
		}
		if bad && fix != "" {
			if err := b.comment(to, line, fix); err != nil {
				return err
			}
		}
	}
	return b.set(len(columns), line, reason, b.text)
}

func (b *rejectedBook) set(column, line int, value any, style int) error {
	name := sheet.CellName(column, line)
	var err error
	if text, ok := value.(string); ok {
		err = b.SetCellStr(b.sheet, name, text) // a text, which is never run as a formula
	} else {
		err = b.SetCellValue(b.sheet, name, value)
	}
	if err == nil {
		err = b.SetCellStyle(b.sheet, name, name, style)
	}
	if err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	return nil
}

func (b *rejectedBook) comment(column, line int, text string) error {
	if b.comments++; b.comments > maxComments {
		return nil
	}
	err := b.AddComment(b.sheet, excelize.Comment{Cell: sheet.CellName(column, line), Author: "vecctl", Paragraph: []excelize.RichTextRun{{Text: text}}})
	if err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	return nil
}

// faults names the cells of a row that are at fault, by column, with what is wanted there.
// A complaint about the document belongs to the cell that names it.
func (m *Manifest) faults(row *Row, reason string) map[int]string {
	faults := map[int]string{}
	for _, p := range row.Problems {
		if i := m.columnOf(p.Field); i >= 0 {
			fix := "want " + p.Want
			if p.Want == "" {
				fix = p.Found
			}
			faults[i] = strings.TrimPrefix(faults[i]+"\n"+fix, "\n")
		}
	}
	if i := m.columnOf(fieldFile.name()); len(faults) == 0 && i >= 0 && strings.Contains(reason, "file") {
		faults[i] = reason
	}
	return faults
}

// columnOf is the first column that feeds a field; -1 for none.
func (m *Manifest) columnOf(field string) int {
	for _, c := range m.Columns {
		if c.Field != "" && c.Field == field {
			return sheet.ColumnNumber(c.Letter)
		}
	}
	return -1
}

// Given is what stands in a row's cell of a field, as it was given; "" where no column feeds it.
func (m *Manifest) Given(row Row, field string) string {
	if i := m.columnOf(field); i >= 0 && i < len(row.Cells) {
		return sheet.Clean(row.Cells[i])
	}
	return ""
}
