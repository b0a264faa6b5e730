package locale

import (
	"fmt"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// DateParser reads the cells of one column, once their order is settled.
type DateParser struct {
	order  order  // of dates that are numbers only and leave it open
	format string // as the person gave it, for messages
	sep    byte   // that the given format has; 0 without a format
}

// ParseDateFormat makes a DateParser out of what a person gives as --date-format: three of
// D, DD, M, MM, MMM, MMMM, YYYY with one separator.
func ParseDateFormat(format string) (DateParser, error) {
	refuse := func() (DateParser, error) {
		return DateParser{}, invalidError("--date-format %s is not known: use YYYY-MM-DD, DD/MM/YYYY, MM/DD/YYYY or D.M.YYYY, with any of / - . between", sheet.Quote(format))
	}
	s := strings.ToUpper(sheet.Trim(format))
	if s == "YYYYMMDD" {
		return DateParser{order: yearFirst, format: s, sep: '-'}, nil
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("/-., ", r) })
	if len(parts) != 3 {
		return refuse()
	}
	d := DateParser{format: s, sep: strings.TrimLeft(s, "DMY")[0]}
	for _, p := range parts {
		switch p {
		case "D", "DD", "M", "MM", "MMM", "MMMM", "YYYY":
			d.order += order(p[:1])
		default:
			return refuse()
		}
	}
	switch d.order {
	case dayFirst, monthFirst, yearFirst:
		return d, nil
	}
	return refuse()
}

// example is a date that a complaint can show.
type example struct {
	row  int
	text string
	date dateCell
}

func (s *example) set(row int, text string, date dateCell) {
	if s.row == 0 {
		*s = example{row, text, date}
	}
}

func (s example) String() string { return fmt.Sprintf("%s (row %d)", sheet.Quote(s.text), s.row) }

// DateOrderDetector gathers what the dates of a column say about their order.
type DateOrderDetector struct {
	day, month         example // can only be day first, month first
	ambiguous          example // can be both, and differs
	workbookDate       example // a date cell of a workbook
	workbookDayAfter12 bool    // some date cell has a day after the 12th
}

// Add takes the date of a row into account. Real says that text is the
// YYYY-MM-DD of a workbook's date cell.
func (v *DateOrderDetector) Add(row int, text string, real bool) {
	d := splitDate(text)
	if real {
		v.workbookDate.set(row, text, d)
		v.workbookDayAfter12 = v.workbookDayAfter12 || d.parts[2] > 12
		return
	}
	dmy, mdy := d.possibleOrders()
	switch {
	case dmy && mdy && d.parts[0] != d.parts[1]:
		v.ambiguous.set(row, text, d)
	case dmy && !mdy:
		v.day.set(row, text, d)
	case mdy && !dmy:
		v.month.set(row, text, d)
	}
}

// Detect returns how the column is to be read. It is an error of kind
// fault.Invalid where the column allows two orders, or none.
func (v *DateOrderDetector) Detect() (DateParser, error) {
	const ask = "say which is meant with --date-format DD/MM/YYYY or --date-format MM/DD/YYYY"
	switch {
	case v.day.row > 0 && v.month.row > 0:
		return DateParser{}, invalidError("%s can only be day first, %s only month first: write all dates as YYYY-MM-DD, or %s", v.day, v.month, ask)
	case v.ambiguous.row > 0 && v.day.row == 0 && v.month.row == 0:
		return DateParser{}, invalidError("%s can be %s or %s, and no other row settles it: %s",
			v.ambiguous, inWords(v.ambiguous.date, dayFirst), inWords(v.ambiguous.date, monthFirst), ask)
	case v.workbookDate.row > 0 && !v.workbookDayAfter12 && (v.day.row > 0 || v.month.row > 0):
		text := v.day
		if text.row == 0 {
			text = v.month
		}
		return DateParser{}, invalidError("%s is text while %s is a date of the spreadsheet, which is what is left when a spreadsheet swaps day and month as it reads dates. Check them, write all dates as YYYY-MM-DD, or %s",
			text, v.workbookDate, ask)
	case v.month.row > 0:
		return DateParser{order: monthFirst}, nil
	}
	return DateParser{order: dayFirst}, nil
}

// inWords is a date in words.
func inWords(c dateCell, o order) string {
	iso, _ := c.inOrder(o)
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return "a date with the order " + string(o)
	}
	return t.Format("2 January 2006")
}

// Parse turns a cell into YYYY-MM-DD, or says what was found and is wanted. An
// empty cell is an empty date.
func (d DateParser) Parse(text string) (iso, found, want string) {
	if text == "" {
		return "", "", ""
	}
	c := splitDate(text)
	o := d.orderFor(c, text)
	switch {
	case !c.ok || o == "":
		return "", sheet.Quote(text), d.example()
	case c.shortYear:
		return "", sheet.Quote(text), d.example() + ", with a year of four digits"
	}
	iso, wrong := c.inOrder(o)
	if wrong != "" {
		return "", sheet.Quote(text), d.example() + ", with " + wrong
	}
	return iso, "", ""
}

// orderFor decides in which order to read a date: a given format's where the
// date has its form, its own where it has one, else the column's.
func (d DateParser) orderFor(c dateCell, text string) order {
	formed := d.sep != 0 && c.sep == d.sep && !strings.ContainsFunc(text, isASCIILetter)
	switch {
	case formed && (c.order == yearFirst) == (d.order == yearFirst):
		return d.order
	case c.order != "":
		return c.order
	case c.parts[0] == c.parts[1]:
		return dayFirst
	case d.sep == 0:
		return d.order
	}
	return ""
}

func isASCIILetter(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// example shows the form that is wanted.
func (d DateParser) example() string {
	if d.format != "" {
		return "a date as " + d.format
	}
	return "a date such as 2026-06-01"
}

func invalidError(format string, args ...any) error {
	return fault.New(fault.Invalid, fmt.Sprintf(format, args...))
}
