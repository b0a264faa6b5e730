package sheet

import (
	"archive/zip"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

const damaged = "the workbook is damaged: open it in a spreadsheet program, save it anew and try again"

// xlsxBytes is an open workbook and the sheet that is read.
type workbook struct {
	file     *excelize.File
	sheet    string
	date1904 bool
}

// readWorkbook reads one sheet of an XLSX workbook. Numbers come as the file
// has them, formulas as their last result.
func readWorkbook(archive *zip.Reader, opts Options) (s *Sheet, err error) {
	// The library trusts the file's inner references and may panic on broken ones.
	defer func() {
		if recover() != nil {
			s, err = nil, invalidError(damaged)
		}
	}()
	lean, err := stripWorkbook(archive, opts.MaxRows)
	if err != nil {
		return nil, err
	}
	f, err := excelize.OpenReader(lean, excelize.Options{UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return nil, invalidError(damaged)
	}
	b := &workbook{file: f}
	s = &Sheet{workbook: b}
	if err := b.selectSheet(s, opts.Sheet); err != nil {
		return nil, err
	}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		b.date1904 = *props.Date1904
	}
	if err := b.readRows(s, opts); err != nil {
		return nil, err
	}
	return s, nil
}

// selectSheet finds the sheet: the one named, else the first that is visible.
func (b *workbook) selectSheet(s *Sheet, want string) error {
	var visible []string
	for _, name := range b.file.GetSheetList() {
		shown, err := b.file.GetSheetVisible(name)
		switch {
		case want != "" && strings.EqualFold(Trim(name), Trim(want)):
			b.sheet, s.Name = name, name
			return nil
		case err == nil && shown && b.isWorksheet(name):
			visible = append(visible, name)
		}
	}
	if want != "" {
		return invalidError("there is no sheet %s: the sheets are %s", Quote(want), quoteAll(b.file.GetSheetList()))
	}
	if len(visible) == 0 {
		return invalidError("the workbook has no visible sheet: %s", saveAs)
	}
	b.sheet, s.Name = visible[0], visible[0]
	if len(visible) > 1 {
		s.Notes = append(s.Notes, fmt.Sprintf("the workbook has %d sheets; %s was read", len(visible), Quote(b.sheet)))
	}
	return nil
}

// isWorksheet tells a sheet of cells from one that is a chart or a dialog.
func (b *workbook) isWorksheet(sheet string) bool { return sheetPart(b.file, sheet) != nil }

// readRows reads the sheet's rows.
func (b *workbook) readRows(s *Sheet, opts Options) error {
	hidden := 0
	err := b.eachRow(true, func(at int, cells []string, isHidden bool) error {
		before := len(s.Records)
		err := s.add(Record{Row: at, Line: at, Cells: cells}, opts)
		if isHidden && len(s.Records) > before {
			hidden++
		}
		return err
	})
	if err == nil {
		err = s.requireHeader(opts)
	}
	if err != nil {
		return err
	}
	for i := range s.Records {
		short := len(s.Header.Cells) - len(s.Records[i].Cells)
		s.Records[i].Cells = append(s.Records[i].Cells, make([]string, max(0, short))...)
	}
	if hidden > 0 {
		s.Notes = append(s.Notes, Plural(hidden, "row is", "rows are")+" hidden in the sheet and read like the others")
	}
	return b.unmerge(s)
}

// eachRow calls do with every row of the sheet, raw or as the spreadsheet shows it.
func (b *workbook) eachRow(raw bool, do func(at int, cells []string, hidden bool) error) error {
	const mostCells = 20_000_000 // the library makes a cell for every place left out
	rows, err := b.file.Rows(b.sheet)
	if err != nil {
		return invalidError("the sheet %s holds no table: name another", Quote(b.sheet))
	}
	defer rows.Close()
	seen := 0
	for at := 1; rows.Next(); at++ {
		cells, err := rows.Columns(excelize.Options{RawCellValue: raw})
		if err != nil {
			return invalidError("row %d of the sheet cannot be read: "+damaged, at)
		}
		hidden := rows.GetRowOpts().Hidden
		seen += len(cells)
		if filled := trimBlank(cells); len(filled) < len(cells) {
			cells = slices.Clone(filled) // a row can have room for 16,384
		}
		if len(cells) > MaxColumns || seen > mostCells {
			return invalidError("row %d of the sheet reaches to column %s: at most %d columns are read", at, ColumnLetters(max(len(cells), 1)-1), MaxColumns)
		}
		if err := do(at, cells, hidden); err != nil {
			return err
		}
	}
	if rows.Error() != nil {
		return invalidError(damaged)
	}
	return nil
}

// trimBlank cuts blank cells off the end.
func trimBlank(cells []string) []string {
	for len(cells) > 0 && Trim(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	return cells
}

// unmerge gives every row under a merged cell the cell's value, as it looks to
// a person.
func (b *workbook) unmerge(s *Sheet) error {
	areas, err := mergedRanges(sheetPart(b.file, b.sheet))
	if err != nil {
		return err
	}
	width := len(s.Header.Cells)
	for _, a := range areas {
		first, found := slices.BinarySearchFunc(s.Records, a.top, func(r Record, at int) int { return cmp.Compare(r.Row, at) })
		if !found || a.column >= width {
			continue
		}
		value := s.Records[first].Cells[a.column]
		for _, r := range s.Records[first:] {
			if r.Row > a.bottom {
				break
			}
			if r.Cells[a.column] == "" {
				r.Cells[a.column] = value
			}
		}
	}
	return nil
}

// formatCells does what FormatCells promises.
func (b *workbook) formatCells(s *Sheet, dates int, extra []int) (err error) {
	defer func() {
		if recover() != nil {
			err = invalidError(damaged)
		}
	}()
	if dates >= 0 {
		for i := range s.Records {
			r := &s.Records[i]
			if iso, ok := b.dateOf(r.Cells[dates]); ok {
				r.Cells[dates], r.RealDate = iso, true
			}
		}
	}
	if len(extra) == 0 {
		return nil
	}
	i := 0
	return b.eachRow(false, func(at int, cells []string, _ bool) error {
		for i < len(s.Records) && s.Records[i].Row < at {
			i++
		}
		if i == len(s.Records) || s.Records[i].Row != at {
			return nil
		}
		for _, column := range extra {
			if column < len(cells) {
				s.Records[i].Cells[column] = cells[column]
			}
		}
		return nil
	})
}

// dateOf reads the number that a spreadsheet keeps a date as; the fraction is the
// time of day. Numbers below 10,000 (before 1927) may be years and are left.
func (b *workbook) dateOf(cell string) (iso string, ok bool) {
	n, err := strconv.ParseFloat(cell, 64)
	if err != nil || !(n >= 1 && n < 110_000) {
		return "", false
	}
	days := int(n)
	if b.date1904 {
		days += 1462
	}
	if days < 10_000 {
		return "", false
	}
	return time.Date(1899, 12, 30+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), true
}
