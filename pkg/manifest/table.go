package manifest

import (
	"encoding/csv"
	"fmt"
	"io"
	"iter"

	"github.com/xuri/excelize/v2"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// Table is rows of texts under headings, for spreadsheets.
type Table struct {
	Headings []string
	Rows     iter.Seq2[[]string, error]
}

// WriteCSV writes the table as report.csv is written: UTF-8 with a byte order mark,
// commas, and formulas defused.
func (t Table) WriteCSV(w io.Writer) error {
	if _, err := io.WriteString(w, byteOrderMark); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(t.Headings); err != nil {
		return err
	}
	for row, err := range t.Rows {
		if err != nil {
			return err
		}
		safe := make([]string, len(row))
		for i := range row {
			safe[i] = sheet.EscapeFormula(row[i])
		}
		if err := out.Write(safe); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// WriteWorkbook writes the table as an Excel workbook with one sheet. Cells are
// texts, which are never run as formulas.
func (t Table) WriteWorkbook(w io.Writer, sheet string) (err error) {
	book := excelize.NewFile()
	defer func() {
		if e := book.Close(); err == nil {
			err = e
		}
	}()
	if err := book.SetSheetName(book.GetSheetName(0), sheet); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	out, err := book.NewStreamWriter(sheet)
	if err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	line := 0
	write := func(row []string) error {
		if line++; line > excelize.TotalRows {
			return fault.Newf(fault.Invalid, "a workbook holds %d rows at most; export as csv, or less of it with --from and --to", excelize.TotalRows-1)
		}
		cells := make([]any, len(row))
		for i := range row {
			cells[i] = row[i]
		}
		return out.SetRow(fmt.Sprintf("A%d", line), cells)
	}
	if err := write(t.Headings); err != nil {
		return err
	}
	for row, err := range t.Rows {
		if err == nil {
			err = write(row)
		}
		if err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing a workbook: %w", err)
	}
	return book.Write(w)
}
