// Package date reads the dates that people write into tables. A date that can be
// read in two ways is never guessed: the column it stands in has to settle it.
package date

import (
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	firstYear = 1900
	lastYear  = 2200
)

// order is the sequence of day, month and year in a date of numbers.
type order string

const (
	dayFirst   order = "DMY"
	monthFirst order = "MDY"
	yearFirst  order = "YMD"
)

// dateCell is a date as far as the cell alone tells it: three parts and, where
// it can have but one, their order.
type dateCell struct {
	parts     [3]int
	sep       byte  // between the parts: '/', '-', '.', or ' '
	order     order // "" when the cell alone does not tell
	shortYear bool  // the year has two digits
	ok        bool  // it has the shape of a date at all
}

// splitDate reads the shapes of a date: 2026-06-01, 1/6/2026, 1.6.2026,
// 1 June 2026, June 1, 2026, 20260601, a spreadsheet's day number, each with a
// time of day after it or not.
func splitDate(s string) dateCell {
	s = cutTime(s)
	if whole, ok := wholeNumber(s); ok {
		return whole
	}
	words, sep, ok := dateWords(s)
	if !ok {
		return dateCell{}
	}
	c := dateCell{sep: sep, ok: true}
	months, monthAt := 0, -1
	for i, w := range words {
		if m := monthNamed(w); m > 0 {
			c.parts[i], monthAt = m, i
			months++
			continue
		}
		digits := ordinal(w)
		n, err := strconv.Atoi(digits)
		if err != nil || digits[0] == '+' || len(digits) == 3 || len(digits) > 4 {
			return dateCell{}
		}
		c.parts[i] = n
	}
	if months > 1 {
		return dateCell{}
	}
	return c.detectOrder(words, monthAt)
}

// detectOrder settles the order where names and widths of the parts tell it.
func (c dateCell) detectOrder(words [3]string, monthAt int) dateCell {
	first, last := len(words[0]) == 4 && monthAt != 0, len(words[2]) == 4 && monthAt != 2
	c.shortYear = !first && !last
	switch {
	case first && last:
		return dateCell{}
	case first:
		c.order = yearFirst
		c.ok = monthAt < 0 || monthAt == 1
	case monthAt == 0:
		c.order = monthFirst
	case monthAt == 1, c.sep == '.':
		c.order = dayFirst
	case monthAt == 2:
		return dateCell{}
	}
	return c
}

// cutTime takes a time of day without a zone off.
func cutTime(s string) string {
	before, _, found := strings.Cut(s, ":")
	if !found {
		return s
	}
	start := strings.LastIndexAny(before, " T")
	if start < 0 {
		return s
	}
	clock := strings.ToUpper(s[start+1:])
	for _, layout := range []string{"15:04", "15:04:05", "3:04 PM", "3:04:05 PM"} {
		if _, err := time.Parse(layout, clock); err == nil {
			return strings.TrimRight(s[:start], " ,")
		}
	}
	return s
}

// wholeNumber reads 20260601, which no other order of day, month and year can
// mean, and the day numbers that spreadsheets keep dates as (since the end of
// 1899, from 1927 on; a smaller number may be a year).
func wholeNumber(s string) (dateCell, bool) {
	n, err := strconv.Atoi(s)
	switch {
	case err != nil || n < 10_000 || s[0] == '+':
		return dateCell{}, false
	case len(s) == 8:
		return dateCell{parts: [3]int{n / 10_000, n / 100 % 100, n % 100}, order: yearFirst, ok: true}, true
	case n < 110_000:
		y, m, d := time.Date(1899, 12, 30+n, 0, 0, 0, 0, time.UTC).Date()
		return dateCell{parts: [3]int{y, int(m), d}, order: yearFirst, ok: true}, true
	}
	return dateCell{}, false
}

// dateWords splits a date into its three parts.
func dateWords(s string) (words [3]string, sep byte, ok bool) {
	if len(s) > 40 {
		return words, 0, false
	}
	parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("/-.,", r) || unicode.IsSpace(r) })
	if len(parts) != 3 || strings.TrimLeft(s, "/-.,") != s {
		return words, 0, false
	}
	rest := s[len(parts[0]):]
	first := strings.TrimSpace(rest[:strings.Index(rest, parts[1])])
	rest = rest[strings.Index(rest, parts[1])+len(parts[1]):]
	second := strings.TrimSpace(rest[:strings.Index(rest, parts[2])])
	tail := strings.TrimSpace(rest[strings.Index(rest, parts[2])+len(parts[2]):])
	named := monthNamed(parts[0]) > 0 || monthNamed(parts[1]) > 0
	if len(first) > 1 || len(second) > 1 || tail != "" && tail != "." || first != second && !named {
		return words, 0, false
	}
	sep = ' '
	if first != "" {
		sep = first[0]
	}
	if sep == ',' && !named {
		return words, 0, false
	}
	return [3]string(parts), sep, true
}

// ordinal takes the ending off 1st, 2nd, 3rd, 4th.
func ordinal(w string) string {
	if len(w) < 3 {
		return w
	}
	switch strings.ToLower(w[len(w)-2:]) {
	case "st", "nd", "rd", "th":
		return w[:len(w)-2]
	}
	return w
}

// monthNamed is the number of an English month name or its abbreviation, 0 for
// any other word.
func monthNamed(w string) int {
	if w == "" || w[0] < 'A' {
		return 0 // digits, mostly
	}
	if strings.EqualFold(w, "sept") {
		return int(time.September)
	}
	for m := time.January; m <= time.December; m++ {
		if full := m.String(); strings.EqualFold(w, full) || strings.EqualFold(w, full[:3]) {
			return int(m)
		}
	}
	return 0
}

// inOrder reads the date in an order: as YYYY-MM-DD, or what is wrong with it.
func (c dateCell) inOrder(o order) (iso, wrong string) {
	var y, m, d int
	for i, letter := range o {
		switch letter {
		case 'Y':
			y = c.parts[i]
		case 'M':
			m = c.parts[i]
		case 'D':
			d = c.parts[i]
		}
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	switch {
	case y < firstYear || y > lastYear:
		return "", "a year from 1900 to 2200"
	case t.Year() != y || int(t.Month()) != m || t.Day() != d:
		return "", "a day that the calendar has"
	}
	return t.Format(time.DateOnly), ""
}

// possibleOrders tells in which orders a date can be read whose own form does not settle
// it; in none for any other.
func (c dateCell) possibleOrders() (dmy, mdy bool) {
	if !c.ok || c.shortYear || c.order != "" {
		return false, false
	}
	a, b := c.parts[0], c.parts[1]
	month := func(n int) bool { return n >= 1 && n <= 12 }
	date := func(n int) bool { return n >= 1 && n <= 31 }
	return date(a) && month(b), month(a) && date(b)
}
