package sheet

import (
	"archive/zip"
	"slices"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"
)

const damaged = "the workbook is damaged: open it in a spreadsheet program, save it as a new file and try again"

// workbook is an open workbook and the sheet that is read.
type workbook struct {
	file     *excelize.File
	sheet    string
	scans    map[string]*sheetScan
	styles   []byte
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
	f, err := excelize.OpenReader(&lean.archive, excelize.Options{UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return nil, invalidError(damaged)
	}
	b := &workbook{file: f, scans: lean.scans, styles: lean.styles}
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

// selectSheet finds the sheet that is to be read.
func (b *workbook) selectSheet(s *Sheet, want string) error {
	var all []sheetChoice
	for _, name := range b.file.GetSheetList() {
		shown, err := b.file.GetSheetVisible(name)
		scan := b.scan(name)
		all = append(all, sheetChoice{name: name, visible: err == nil && shown && scan != nil, table: scan.looksLikeTable()})
	}
	name, err := chooseSheet(all, want)
	b.sheet, s.Name = name, name
	return err
}

// scan is what was found in a sheet; nil for one that is a chart or a dialog.
func (b *workbook) scan(sheet string) *sheetScan {
	_, part := sheetPart(b.file, sheet)
	return b.scans[part]
}

// readRows reads the sheet's rows.
func (b *workbook) readRows(s *Sheet, opts Options) error {
	err := b.eachRow(true, func(at int, cells []string, hidden bool) error {
		return s.add(Record{Row: at, Line: at, Cells: cells, Hidden: hidden}, opts)
	})
	if err == nil {
		err = s.requireHeader(opts)
	}
	if err == nil {
		err = s.settleHidden(opts.Hidden)
	}
	if err != nil {
		return err
	}
	s.padRecords()
	scan := b.scan(b.sheet)
	if scan == nil {
		return nil
	}
	s.HiddenColumns = scan.hiddenColumns
	b.noteDates(s, scan)
	content, _ := sheetPart(b.file, b.sheet)
	areas, err := mergedRanges(content)
	if err != nil {
		return err
	}
	s.unmerge(areas)
	return s.refuseUnstored(scan.unstored)
}

// noteDates tells the records which of their cells are dates.
func (b *workbook) noteDates(s *Sheet, scan *sheetScan) {
	styles, i := dateStyles(b.styles), 0
	for _, n := range scan.numbers {
		if !styles[n.style] {
			continue
		}
		for i < len(s.Records) && s.Records[i].Row < n.row {
			i++
		}
		if i == len(s.Records) {
			return
		}
		if iso, ok := b.dateOf(n.value); ok && s.Records[i].Row == n.row {
			s.Records[i].Dates = append(s.Records[i].Dates, DateCell{n.column, iso})
		}
	}
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

// formatCells does what FormatCells promises.
func (b *workbook) formatCells(s *Sheet, f Formatting) (err error) {
	defer func() {
		if recover() != nil {
			err = invalidError(damaged)
		}
	}()
	for _, column := range f.Dates {
		for i := range s.Records {
			r := &s.Records[i]
			if iso, ok := b.dateOf(r.Cells[column]); ok {
				r.Cells[column], r.RealDate = iso, r.RealDate || column == f.Issued
			}
		}
	}
	padded := slices.DeleteFunc(slices.Clone(f.Padded), func(column int) bool {
		return !slices.ContainsFunc(s.Records, func(r Record) bool { return allDigits(r.Cells[column]) })
	})
	if len(f.Shown)+len(padded) == 0 {
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
		for _, column := range f.Shown {
			if column < len(cells) {
				s.Records[i].Cells[column] = cells[column]
			}
		}
		for _, column := range padded {
			if column < len(cells) && allDigits(s.Records[i].Cells[column]) && allDigits(cells[column]) {
				s.Records[i].Cells[column] = cells[column]
			}
		}
		return nil
	})
}

// dateOf reads the number that the workbook keeps a date as.
func (b *workbook) dateOf(cell string) (iso string, ok bool) { return serialDate(cell, b.date1904) }

// serialDate reads the number that a spreadsheet keeps a date as; the fraction is the
// time of day. Numbers below 10,000 (before 1927) may be years and are left.
func serialDate(cell string, from1904 bool) (iso string, ok bool) {
	n, err := strconv.ParseFloat(cell, 64)
	if err != nil || !(n >= 1 && n < 110_000) {
		return "", false
	}
	days := int(n)
	if from1904 {
		days += 1462
	}
	if days < 10_000 {
		return "", false
	}
	return time.Date(1899, 12, 30+days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), true
}
