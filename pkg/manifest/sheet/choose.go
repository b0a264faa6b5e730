package sheet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// sheetChoice is a sheet of a workbook that may be read.
type sheetChoice struct {
	name    string
	visible bool
	table   bool // it holds more than remarks
}

// chooseSheet finds the sheet to read: the one named, else the only visible one
// that holds a table. Where several do, a person has to choose.
func chooseSheet(all []sheetChoice, want string) (string, error) {
	var names, tables []string
	first := ""
	for _, c := range all {
		names = append(names, c.name)
		switch {
		case want != "" && strings.EqualFold(Trim(c.name), Trim(want)):
			return c.name, nil
		case c.visible && c.table:
			tables = append(tables, c.name)
		}
		if c.visible && first == "" {
			first = c.name
		}
	}
	switch {
	case want != "":
		return "", invalidError("there is no sheet %s: the sheets are %s", Quote(want), quoteAll(names))
	case first == "":
		return "", invalidError("the workbook has no visible sheet: %s", saveAs)
	case len(tables) > 1:
		return "", invalidError("%d sheets hold tables, %s: say which one is meant with --sheet, such as --sheet %s",
			len(tables), quoteAll(tables), ShellQuote(tables[0]))
	case len(tables) == 1:
		return tables[0], nil
	}
	return first, nil
}

// settleHidden does with hidden rows what the person says, and asks where the
// person does not.
func (s *Sheet) settleHidden(want string) error {
	var hidden []string
	for _, r := range s.Records {
		if r.Hidden {
			hidden = append(hidden, describeRow(r))
		}
	}
	switch {
	case len(hidden) == 0:
	case want == "":
		const most = 5
		more := ""
		if len(hidden) > most {
			more = fmt.Sprintf("; and %d more", len(hidden)-most)
		}
		return invalidError("%s hidden or filtered out in the sheet %s: %s%s. Say whether they count with --hidden read (issue them too) or --hidden skip (leave them out)",
			Plural(len(hidden), "row is", "rows are"), Quote(s.Name), strings.Join(hidden[:min(len(hidden), most)], "; "), more)
	case want == HiddenRead:
		s.Notes = append(s.Notes, Plural(len(hidden), "hidden row was", "hidden rows were")+" read like the others")
	default:
		s.Records = slices.DeleteFunc(s.Records, func(r Record) bool { return r.Hidden })
		s.Notes = append(s.Notes, Plural(len(hidden), "hidden row was", "hidden rows were")+" left out")
	}
	return nil
}

// checkHidden refuses an answer about hidden rows that is none.
func checkHidden(want string) error {
	switch want {
	case "", HiddenRead, HiddenSkip:
		return nil
	}
	return invalidError("--hidden %s is not known: use read or skip", Quote(want))
}

// describeRow names a row by its number and its first cells.
func describeRow(r Record) string {
	const cells = 3
	var shown []string
	for _, c := range r.Cells {
		if Trim(c) != "" && len(shown) < cells {
			shown = append(shown, Quote(c))
		}
	}
	return fmt.Sprintf("row %d (%s)", r.Row, strings.Join(shown, ", "))
}

const recalculate = "open the workbook in Excel or LibreOffice, save it there, and try again"

// refuseUnstored is an error where a cell of the table is a formula whose result
// the file does not hold: no one can say what it would be.
func (s *Sheet) refuseUnstored(cells []cellRef) error {
	var found []string
	for _, c := range cells {
		_, isRecord := s.recordAt(c.row)
		if c.column < len(s.Header.Cells) && (isRecord || c.row == s.Header.Row) {
			found = append(found, c.String())
		}
	}
	const most = 5
	switch {
	case len(found) == 0:
		return nil
	case len(found) == 1:
		return invalidError("the cell %s is a formula whose result is not stored in the file: %s", found[0], recalculate)
	case len(found) > most:
		found = append(found[:most], fmt.Sprintf("%d more", len(found)-most))
	}
	last := len(found) - 1
	return invalidError("the cells %s and %s are formulas whose results are not stored in the file: %s",
		strings.Join(found[:last], ", "), found[last], recalculate)
}

// recordAt finds the record of a row.
func (s *Sheet) recordAt(row int) (at int, found bool) {
	return slices.BinarySearchFunc(s.Records, row, func(r Record, row int) int { return cmp.Compare(r.Row, row) })
}

// padRecords gives every record a cell for each heading.
func (s *Sheet) padRecords() {
	for i := range s.Records {
		short := len(s.Header.Cells) - len(s.Records[i].Cells)
		s.Records[i].Cells = append(s.Records[i].Cells, make([]string, max(0, short))...)
	}
}

// unmerge gives every row under a merged cell the cell's value, as it looks to
// a person.
func (s *Sheet) unmerge(areas []mergedRange) {
	width := len(s.Header.Cells)
	for _, a := range areas {
		first, found := s.recordAt(a.top)
		if !found || a.column >= width {
			continue
		}
		value, date := s.Records[first].Cells[a.column], s.Records[first].DateAt(a.column)
		for i := first; i < len(s.Records) && s.Records[i].Row <= a.bottom; i++ {
			r := &s.Records[i]
			if r.Cells[a.column] != "" {
				continue
			}
			r.Cells[a.column] = value
			if date != "" {
				r.Dates = append(r.Dates, DateCell{a.column, date})
			}
		}
	}
}
