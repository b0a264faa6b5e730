package template

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
)

// IssueDateColumn is the column whose value is written in a field's date format.
const IssueDateColumn = "issue_date"

// expiryDateColumn is written so too, where it holds a date.
const expiryDateColumn = "expiry_date"

// InstitutionColumn is a value that every row has: the name of who issues it.
const InstitutionColumn = "institution"

// segment is a piece of a field's text: letters as they stand, or what a column holds.
type segment struct {
	text     string // as it stands
	column   string
	optional bool
}

var placeholder = regexp.MustCompile(`\{([^{}]*)\}`)

var columnName = regexp.MustCompile(`^[a-z0-9_]+$`)

// parseText takes a field's text apart.
func parseText(text string) ([]segment, error) {
	var words []segment
	at := 0
	plain := func(s string) error {
		if strings.ContainsAny(s, "{}") {
			return fmt.Errorf("its text has a brace without its other half: %.40q", s)
		}
		if s != "" {
			words = append(words, segment{text: s})
		}
		return nil
	}
	for _, m := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		if err := plain(text[at:m[0]]); err != nil {
			return nil, err
		}
		name, optional := strings.CutSuffix(text[m[2]:m[3]], "?")
		switch {
		case name == "reference_id" || name == "verify_url":
			return nil, fmt.Errorf("{%s} is not known yet when the page is made; it stands under the QR code", name)
		case !columnName.MatchString(name):
			return nil, fmt.Errorf("{%s} is no name of a column: those have small letters, digits and underscores", text[m[2]:m[3]])
		}
		words = append(words, segment{column: name, optional: optional})
		at = m[1]
	}
	return words, plain(text[at:])
}

// fill puts a row's values in place of its columns. A field of optional columns
// that are all empty is empty.
func (f *field) fill(values map[string]string, months []string) (string, error) {
	var b strings.Builder
	filled, columns := false, false
	for _, w := range f.segments {
		if w.column == "" {
			b.WriteString(w.text)
			continue
		}
		columns = true
		value, ok := values[w.column]
		value = strings.TrimSpace(value)
		switch {
		case value == "" && w.optional:
			continue
		case !ok:
			return "", fault.Newf(fault.Invalid, "the template needs %s, and there is no such column", w.column)
		case value == "":
			return "", fault.Newf(fault.Invalid, "the template needs %s, and it is empty", w.column)
		}
		if w.column == IssueDateColumn || w.column == expiryDateColumn && isDate(value) {
			var err error
			if value, err = formatDate(value, f.dateFormat, months); err != nil {
				return "", err
			}
		}
		filled = true
		b.WriteString(value)
	}
	if columns && !filled {
		return "", nil
	}
	return b.String(), nil
}

var (
	dateToken = regexp.MustCompile(`YYYY|MMMM|MMM|MM|M|DD|D`)
	months    = func() []string {
		var names []string
		for m := time.January; m <= time.December; m++ {
			names = append(names, m.String())
		}
		return names
	}()
)

const defaultDateFormat = "D MMMM YYYY"

// checkDateFormat refuses formats that do not tell the date.
func checkDateFormat(format string) error {
	var has [3]bool
	for _, token := range dateToken.FindAllString(format, -1) {
		has[strings.IndexByte("YMD", token[0])] = true
	}
	if slices.Contains(has[:], false) {
		return fmt.Errorf("date_format is %q; it needs a day (D, DD), a month (M, MM, MMM, MMMM) and a year (YYYY)", format)
	}
	return nil
}

// formatDate writes a date given as 2026-05-31.
func formatDate(date, format string, months []string) (string, error) {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return "", fault.Newf(fault.Invalid, "the date %q cannot be read; it must be as in 2026-05-31", date)
	}
	month := months[t.Month()-1]
	return dateToken.ReplaceAllStringFunc(format, func(token string) string {
		switch token {
		case "YYYY":
			return strconv.Itoa(t.Year())
		case "MMMM":
			return month
		case "MMM":
			return string([]rune(month)[:min(3, len([]rune(month)))])
		case "MM":
			return t.Format("01")
		case "M":
			return t.Format("1")
		case "DD":
			return t.Format("02")
		}
		return t.Format("2")
	}), nil
}

// isDate reports whether a value is a date as fields have it.
func isDate(value string) bool {
	_, err := time.Parse(time.DateOnly, value)
	return err == nil
}
