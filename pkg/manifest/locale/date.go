package locale

// The dates that people write into tables. A date that can be read in two ways is never
// guessed: the column it stands in has to settle it.

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Years that a date may have. A certificate of another year is a slip of the
// pen, or of a calendar that counts differently.
const (
	firstYear = 1800
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
// 1 June 2026, June 1, 2026, 1-Jun-26, 1 de junio de 2026, 2026年6月1日,
// 20260601, a spreadsheet's day number, each with a time of day after it or not,
// with the digits of any script.
func splitDate(s string) dateCell {
	if c, ok := isoDate(s); ok {
		return c // nearly all of them
	}
	s = cutTime(eastAsian(asciiDigits(s)))
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
		if m := Month(w); m > 0 {
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
	if c.shortYear && monthAt >= 0 && len(words[2]) == 2 {
		// The name of the month leaves but one place for the year.
		c.parts[2], c.shortYear = fullYear(c.parts[2]), false
	}
	return c
}

// fullYear is the year that two digits stand for, as spreadsheets read them.
func fullYear(two int) int {
	if two < 70 {
		return 2000 + two
	}
	return 1900 + two
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

// isoDate reads YYYY-MM-DD.
func isoDate(s string) (dateCell, bool) {
	if len(s) != len(time.DateOnly) || s[4] != '-' || s[7] != '-' {
		return dateCell{}, false
	}
	var parts [3]int
	for i, text := range [3]string{s[:4], s[5:7], s[8:]} {
		for _, c := range []byte(text) {
			if c < '0' || c > '9' {
				return dateCell{}, false
			}
			parts[i] = parts[i]*10 + int(c-'0')
		}
	}
	return dateCell{parts: parts, sep: '-', order: yearFirst, ok: true}, true
}

// isSeparator recognises what stands between the parts of a date.
func isSeparator(r rune) bool { return strings.ContainsRune("/-.,،", r) || unicode.IsSpace(r) }

// dateToken is a word or a number of a date and what separates it from the next.
type dateToken struct{ text, gap string }

// dateTokens splits a date into its words. Days of the week, and words such as
// "de" between the parts, are left out.
func dateTokens(s string) (tokens []dateToken) {
	for s != "" {
		end := strings.IndexFunc(s, isSeparator)
		if end < 0 {
			end = len(s)
		}
		word, rest := s[:end], strings.TrimLeftFunc(s[end:], isSeparator)
		gap := strings.Join(strings.Fields(s[end:len(s)-len(rest)]), "")
		s = rest
		last := len(tokens) - 1
		switch {
		case last >= 0 && Month(tokens[last].text+word) > 0 && Month(word) == 0:
			tokens[last] = dateToken{tokens[last].text + word, gap} // a month of two words
		case Month(word) > 0 || !IsDateWord(word) && !IsWeekday(word):
			tokens = append(tokens, dateToken{word, gap})
		case last >= 0 && s == "":
			tokens[last].gap += gap
		}
	}
	return tokens
}

// dateWords splits a date into its three parts.
func dateWords(s string) (words [3]string, sep byte, ok bool) {
	if s == "" || len(s) > 100 || strings.IndexFunc(s, isSeparator) == 0 {
		return words, 0, false
	}
	tokens := dateTokens(s)
	if len(tokens) != 3 {
		return words, 0, false
	}
	for i, t := range tokens {
		words[i] = t.text
	}
	first, second, tail := tokens[0].gap, tokens[1].gap, tokens[2].gap
	named := Month(words[0]) > 0 || Month(words[1]) > 0
	if len(first) > 2 || len(second) > 2 || tail != "" && tail != "." || first != second && !named {
		return words, 0, false
	}
	sep = ' '
	if first != "" {
		sep = first[0]
	}
	if !named && strings.ContainsAny(first, ",،") || !named && len(first) > 1 {
		return words, 0, false
	}
	return words, sep, true
}

// ordinal takes the ending off 1st, 2nd, 3rd, 4th, 1er and 1º.
func ordinal(w string) string {
	for _, ending := range []string{"st", "nd", "rd", "th", "er", "º", "°", "ª"} {
		if bare := len(w) - len(ending); bare > 0 && strings.EqualFold(w[bare:], ending) {
			return w[:bare]
		}
	}
	return w
}

// asciiDigits writes the digits of other scripts, such as Bengali or Arabic, as 0 to 9.
func asciiDigits(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf || !unicode.Is(unicode.Nd, r) {
			return r
		}
		for zero := r; ; zero-- {
			if !unicode.Is(unicode.Nd, zero-1) { // digits stand in tens
				return '0' + (r-zero)%10
			}
		}
	}, s)
}

// eastAsian writes 2026年6月1日, 令和8年6月1日 and their kin with hyphens.
func eastAsian(s string) string {
	if !strings.ContainsAny(s, "年년") {
		return s
	}
	s = strings.NewReplacer("年", "-", "月", "-", "日", " ", "号", " ", "號", " ", "년", "-", "월", "-", "일", " ", "元", "1").Replace(s)
	s = strings.TrimSpace(strings.ReplaceAll(s, "- ", "-"))
	for era, before := range map[string]int{"令和": 2018, "平成": 1988, "昭和": 1925} {
		year, rest, ok := strings.Cut(strings.TrimPrefix(s, era), "-")
		n, err := strconv.Atoi(strings.TrimSpace(year))
		if ok && err == nil && strings.HasPrefix(s, era) {
			return strconv.Itoa(before+n) + "-" + rest
		}
	}
	return s
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
	case t.Format(time.DateOnly) == "1899-12-30" || t.Format(time.DateOnly) == "1899-12-31":
		return "", "a day: this one is what spreadsheets make of an empty cell"
	case y < firstYear || y > lastYear:
		return "", fmt.Sprintf("a year from %d to %d", firstYear, lastYear)
	case t.Year() != y || int(t.Month()) != m || t.Day() != d:
		return "", "a day that the calendar has"
	}
	return t.Format(time.DateOnly), ""
}

// possibleOrders reports in which orders a date can be read whose own form does not settle
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

// PlausibleDate reports whether a text has the shape of a date and is no mere number.
// It serves to find columns of dates, not to read them.
func PlausibleDate(text string) bool {
	c := splitDate(text)
	if _, whole := wholeNumber(asciiDigits(text)); whole || !c.ok {
		return false
	}
	if c.shortYear {
		words, _, _ := dateWords(asciiDigits(text))
		return len(words[2]) == 2 && max(c.parts[0], c.parts[1]) <= 31 && min(c.parts[0], c.parts[1]) <= 12
	}
	for _, o := range []order{dayFirst, monthFirst, yearFirst} {
		if _, wrong := c.inOrder(o); wrong == "" && (c.order == "" || c.order == o) {
			return true
		}
	}
	return false
}
