package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/manifest/locale"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// checkComplete is an error when a required column is missing; it suggests the
// one that may have been meant.
func (m *matcher) checkComplete() error {
	const few = 3
	known := 0
	for _, at := range m.position {
		known += len(at)
	}
	if known == 0 || known < few && slices.ContainsFunc(m.header, looksLikeData) {
		return m.noneKnown()
	}
	var missing []string
	for f := range fieldCount {
		if len(m.position[f]) == 0 && m.requires(f) {
			missing = append(missing, m.suggest(f))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return invalidError("%s", strings.Join(missing, ". "))
}

// noneKnown is about a first line in which no heading is known. That there are no
// headings is said only where the line holds what rows hold.
func (m *matcher) noneKnown() error {
	filled := 0
	for _, h := range m.header {
		if sheet.Trim(h) != "" {
			filled++
		}
	}
	if filled < 2 || slices.ContainsFunc(m.header, looksLikeData) {
		return invalidError("no headings: the first line must name the columns %s; found %s", strings.Join(fieldNames(), ", "), quoteHeadings(m.header))
	}
	return invalidError("none of the headings is known: %s. Rename them to %s, or say which is which with --map, such as %s",
		quoteHeadings(m.header), strings.Join(fieldNames(), ", "), m.mapOption(fieldName.name(), slices.IndexFunc(m.header, func(h string) bool { return sheet.Trim(h) != "" })))
}

// looksLikeData reports whether a heading is what rows hold.
func looksLikeData(heading string) bool {
	h := sheet.Clean(heading)
	return plausibleEmail(h) || locale.PlausibleDate(h) || acceptedName(h)
}

// suggest complains about one missing column and names the nearest heading, or the
// column that holds what is missing.
func (m *matcher) suggest(f field) string {
	if f == fieldTitle {
		if i := slices.IndexFunc(m.header, func(h string) bool { return m.isFormsOfAddress(h) }); i >= 0 {
			return fmt.Sprintf("no column for %s: %s holds forms of address, such as %s. Add a column with the certificate's title, or say which one it is with --map COLUMN=%s",
				f.name(), m.label(i), sheet.Quote(m.firstCell(i)), f.name())
		}
	}
	best, bestDistance := -1, 0
	for _, i := range m.extra {
		if slices.Contains(m.left, i) || !m.suits(f, i) {
			continue
		}
		if d := nearness(m.header[i], f.headings(), 5, 4); d >= 0 && (best < 0 || d < bestDistance) {
			best, bestDistance = i, d
		}
	}
	if best >= 0 {
		return fmt.Sprintf("no column for %s: the nearest heading is %s (column %d). Rename it to %s, or use %s",
			f.name(), sheet.Quote(m.header[best]), best+1, f.name(), m.mapOption(f.name(), best))
	}
	if kind := f.kind(); kind != plainText {
		for _, i := range m.extra {
			if !slices.Contains(m.left, i) && m.kindOf(i) == kind {
				return fmt.Sprintf("no column for %s: the column %s holds %s. If it is meant, use %s", f.name(), m.label(i), kind, m.mapOption(f.name(), i))
			}
		}
	}
	return fmt.Sprintf("no column for %s: the columns are %s. Add it, or say which one it is with --map COLUMN=%s", f.name(), quoteHeadings(m.header), f.name())
}

func (m *matcher) isFormsOfAddress(heading string) bool {
	i := slices.Index(m.header, heading)
	return slices.ContainsFunc(m.said[i], func(s locale.Meaning) bool { return s.Role == locale.Title }) && m.holdsFormsOfAddress(i)
}

func (m *matcher) firstCell(column int) string {
	for _, r := range m.t.Records {
		if text := cellAt(r, column); text != "" {
			return text
		}
	}
	return ""
}

// nearness is how many letters a heading is away from one of the known ones, which
// are folded; -1 where it is too far: more than one letter and more than one in so
// many. Known ones shorter than so many letters are passed over: there, everything
// is near.
func nearness(heading string, known []string, shortest, oneIn int) int {
	best, folded := -1, locale.FoldHeading(heading)
	for _, k := range known {
		n := utf8.RuneCountInString(k)
		if n < shortest || utf8.RuneCountInString(folded) < shortest-1 {
			continue
		}
		if d := editDistance(folded, k, max(1, n/oneIn)); d >= 0 && (best < 0 || d < best) {
			best = d
		}
	}
	return best
}

// cellKind is what the cells of a column look like.
type cellKind string

const (
	plainText cellKind = "text"
	addresses cellKind = "e-mail addresses"
	dates     cellKind = "dates"
	fileNames cellKind = "file names"
	noCells   cellKind = "nothing"
)

// kind is what the cells of a field look like.
func (f field) kind() cellKind {
	switch f {
	case fieldEmail:
		return addresses
	case fieldDate, fieldExpiry:
		return dates
	case fieldFile:
		return fileNames
	}
	return plainText
}

// kindOf finds what the cells of a column look like, all of them.
func (m *matcher) kindOf(column int) cellKind {
	kind := noCells
	for _, r := range m.t.Records {
		one, text := plainText, cellAt(r, column)
		switch {
		case text == "":
			continue
		case r.DateAt(column) != "" || locale.PlausibleDate(text):
			one = dates
		case plausibleEmail(text):
			one = addresses
		case acceptedName(text):
			one = fileNames
		}
		if one == plainText || kind != noCells && kind != one {
			return plainText
		}
		kind = one
	}
	return kind
}

// suits reports whether a column can be a field by what its cells look like.
func (m *matcher) suits(f field, column int) bool {
	kind := m.kindOf(column)
	return kind == f.kind() || kind == noCells || kind == plainText
}

// askUnused is an error about columns that are not used and may be meant: of dates, of
// parts of names, or with headings that are nearly known.
func (m *matcher) askUnused() error {
	var questions []string
	for _, i := range m.extra {
		if slices.Contains(m.left, i) || i == m.template {
			continue
		}
		if q := cmp.Or(m.askDate(i), m.askName(i), m.askNear(i)); q != "" {
			questions = append(questions, q)
		}
	}
	if len(questions) == 0 {
		return nil
	}
	return invalidError("%s", strings.Join(questions, ". "))
}

// askDate asks about a column of dates that feeds nothing. A date of birth is known to
// be none of issue where another column is.
func (m *matcher) askDate(i int) string {
	fed := len(m.position[fieldDate]) > 0
	switch {
	case m.given[fieldDate], m.kindOf(i) != dates, fed && (m.roles[i] == locale.BirthDate || m.templated || m.template >= 0):
		return ""
	case fed:
		return fmt.Sprintf("the column %s holds dates and is not used, for %s is the issue date. Leave it out with %s, or make it the issue date with %s",
			m.label(i), m.label(m.first(fieldDate)), m.mapOption("-", i), m.mapOption(fieldDate.name(), i))
	}
	return fmt.Sprintf("the column %s holds dates and is not used, and no other column is known as the issue date. Make it the issue date with %s, or leave it out with %s (the certificates are then dated today)",
		m.label(i), m.mapOption(fieldDate.name(), i), m.mapOption("-", i))
}

// askName asks about a column that is called like a name, or nearly, and whose cells
// the full name does not hold.
func (m *matcher) askName(i int) string {
	at := m.position[fieldName]
	if m.given[fieldName] || len(at) == 0 || !m.soundsLikeName(i) {
		return ""
	}
	for _, r := range m.t.Records {
		text, name := cellAt(r, i), m.join(fieldName, r)
		if text == "" || name == "" || holdsName(name, text) {
			continue
		}
		return fmt.Sprintf("the column %s is not used, and the full name in %s does not hold it: row %d has %s beside %s. Join them with %s, or leave it out with %s",
			m.label(i), m.label(at[0]), r.Row, sheet.Quote(text), sheet.Quote(name), m.mapOption(fieldName.name(), append([]int{i}, at...)...), m.mapOption("-", i))
	}
	return ""
}

func (m *matcher) soundsLikeName(i int) bool {
	parts := []locale.Role{locale.Name, locale.GivenName, locale.MiddleName, locale.FamilyName, locale.SecondFamilyName}
	if m.roles[i] != "" {
		return slices.Contains(parts, m.roles[i])
	}
	for _, r := range parts {
		if m.kindOf(i) == plainText && nearness(m.header[i], locale.HeadingsOf(r), 6, 8) >= 0 {
			return true
		}
	}
	return false
}

// askNear asks about a heading that is nearly the one of a field that the table lacks.
func (m *matcher) askNear(i int) string {
	if len(m.said[i]) > 0 {
		return ""
	}
	for f := range fieldCount {
		if len(m.position[f]) > 0 || m.templated && f == fieldFile || !m.suits(f, i) {
			continue
		}
		if nearness(m.header[i], f.headings(), 7, 8) >= 0 {
			return fmt.Sprintf("the heading %s is nearly one for %s: if it is meant, use %s, else %s",
				m.label(i), f.name(), m.mapOption(f.name(), i), m.mapOption("-", i))
		}
	}
	return ""
}
