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

	"github.com/vecctl/vecctl/pkg/manifest/cell"
)

const damaged = "the workbook is damaged: open it in a spreadsheet program, save it anew and try again"

// book is an open workbook and the sheet that is read.
type book struct {
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
			s, err = nil, invalid(damaged)
		}
	}()
	lean, err := slim(archive, opts.MaxRows)
	if err != nil {
		return nil, err
	}
	f, err := excelize.OpenReader(lean, excelize.Options{UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxUnzipped})
	if err != nil {
		return nil, invalid(damaged)
	}
	b := &book{file: f}
	s = &Sheet{book: b}
	if err := b.choose(s, opts.Sheet); err != nil {
		return nil, err
	}
	if props, err := f.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		b.date1904 = *props.Date1904
	}
	if err := b.fill(s, opts); err != nil {
		return nil, err
	}
	return s, nil
}

// choose finds the sheet: the one named, else the first that is visible.
func (b *book) choose(s *Sheet, want string) error {
	var visible []string
	for _, name := range b.file.GetSheetList() {
		shown, err := b.file.GetSheetVisible(name)
		switch {
		case want != "" && strings.EqualFold(cell.Trim(name), cell.Trim(want)):
			b.sheet, s.Name = name, name
			return nil
		case err == nil && shown && b.holdsTable(name):
			visible = append(visible, name)
		}
	}
	if want != "" {
		return invalid("there is no sheet %s: the sheets are %s", cell.Quote(want), listed(b.file.GetSheetList()))
	}
	if len(visible) == 0 {
		return invalid("the workbook has no visible sheet: %s", saveAs)
	}
	b.sheet, s.Name = visible[0], visible[0]
	if len(visible) > 1 {
		s.Notes = append(s.Notes, fmt.Sprintf("the workbook has %d sheets; %s was read", len(visible), cell.Quote(b.sheet)))
	}
	return nil
}

// holdsTable tells a sheet of cells from one that is a chart or a dialog.
func (b *book) holdsTable(sheet string) bool { return sheetPart(b.file, sheet) != nil }

// fill reads the sheet's rows.
func (b *book) fill(s *Sheet, opts Options) error {
	hidden := 0
	err := b.each(true, func(at int, cells []string, isHidden bool) error {
		before := len(s.Lines)
		err := s.add(Line{At: at, Line: at, Cells: cells}, opts)
		if isHidden && len(s.Lines) > before {
			hidden++
		}
		return err
	})
	if err == nil {
		err = s.headed(opts)
	}
	if err != nil {
		return err
	}
	for i := range s.Lines {
		short := len(s.Header.Cells) - len(s.Lines[i].Cells)
		s.Lines[i].Cells = append(s.Lines[i].Cells, make([]string, max(0, short))...)
	}
	if hidden > 0 {
		s.Notes = append(s.Notes, cell.Count(hidden, "row is", "rows are")+" hidden in the sheet and read like the others")
	}
	return b.unmerge(s)
}

// each calls do with every row of the sheet, raw or as the spreadsheet shows it.
func (b *book) each(raw bool, do func(at int, cells []string, hidden bool) error) error {
	const mostCells = 20_000_000 // the library makes a cell for every place left out
	rows, err := b.file.Rows(b.sheet)
	if err != nil {
		return invalid("the sheet %s holds no table: name another", cell.Quote(b.sheet))
	}
	defer rows.Close()
	seen := 0
	for at := 1; rows.Next(); at++ {
		cells, err := rows.Columns(excelize.Options{RawCellValue: raw})
		if err != nil {
			return invalid("row %d of the sheet cannot be read: "+damaged, at)
		}
		hidden := rows.GetRowOpts().Hidden
		seen += len(cells)
		if filled := withoutTail(cells); len(filled) < len(cells) {
			cells = slices.Clone(filled) // a row can have room for 16,384
		}
		if len(cells) > MaxColumns || seen > mostCells {
			return invalid("row %d of the sheet reaches to column %s: at most %d columns are read", at, cell.Letters(max(len(cells), 1)-1), MaxColumns)
		}
		if err := do(at, cells, hidden); err != nil {
			return err
		}
	}
	if rows.Error() != nil {
		return invalid(damaged)
	}
	return nil
}

// withoutTail cuts blank cells off the end.
func withoutTail(cells []string) []string {
	for len(cells) > 0 && cell.Trim(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	return cells
}

// unmerge gives every row under a merged cell the cell's value, as it looks to
// a person.
func (b *book) unmerge(s *Sheet) error {
	areas, err := merged(sheetPart(b.file, b.sheet))
	if err != nil {
		return err
	}
	width := len(s.Header.Cells)
	for _, a := range areas {
		first, found := slices.BinarySearchFunc(s.Lines, a.top, func(r Line, at int) int { return cmp.Compare(r.At, at) })
		if !found || a.column >= width {
			continue
		}
		value := s.Lines[first].Cells[a.column]
		for _, r := range s.Lines[first:] {
			if r.At > a.bottom {
				break
			}
			if r.Cells[a.column] == "" {
				r.Cells[a.column] = value
			}
		}
	}
	return nil
}

// settle does what Settle promises.
func (b *book) settle(s *Sheet, dates int, extra []int) (err error) {
	defer func() {
		if recover() != nil {
			err = invalid(damaged)
		}
	}()
	if dates >= 0 {
		for i := range s.Lines {
			r := &s.Lines[i]
			if iso, ok := b.day(r.Cells[dates]); ok {
				r.Cells[dates], r.RealDate = iso, true
			}
		}
	}
	if len(extra) == 0 {
		return nil
	}
	i := 0
	return b.each(false, func(at int, cells []string, _ bool) error {
		for i < len(s.Lines) && s.Lines[i].At < at {
			i++
		}
		if i == len(s.Lines) || s.Lines[i].At != at {
			return nil
		}
		for _, column := range extra {
			if column < len(cells) {
				s.Lines[i].Cells[column] = cells[column]
			}
		}
		return nil
	})
}

// day reads the number that a spreadsheet keeps a date as; the fraction is the
// time of day. Numbers below 10,000 (before 1927) may be years and are left.
func (b *book) day(cell string) (iso string, ok bool) {
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
