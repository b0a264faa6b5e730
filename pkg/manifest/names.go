package manifest

import (
	"slices"
	"strings"
	"unicode"

	"github.com/vecctl/vecctl/pkg/manifest/locale"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// nameOrder says how a full name is joined from its parts.
type nameOrder struct {
	family   []int // the columns of the family name; none where the person says what is joined
	japanese bool  // names of two words even where all letters are Chinese characters
}

// nameColumns are the columns that have to do with names.
type nameColumns struct{ full, either, given, middle, family, second []int }

func (m *matcher) nameColumns() (n nameColumns) {
	for i, r := range m.roles {
		if m.fieldAt(i) != noField {
			continue
		}
		switch r {
		case locale.FullName:
			n.full = append(n.full, i)
		case locale.Name:
			n.either = append(n.either, i)
		case locale.GivenName:
			n.given = append(n.given, i)
		case locale.MiddleName:
			n.middle = append(n.middle, i)
		case locale.FamilyName:
			n.family = append(n.family, i)
		case locale.SecondFamilyName:
			n.second = append(n.second, i)
		}
	}
	return n
}

// pickName finds the columns of the full name: one that holds it, else its parts. A
// column called "Name" beside a first or a last name holds the other half, unless its
// cells hold both.
func (m *matcher) pickName() error {
	if m.given[fieldName] {
		return nil
	}
	n := m.nameColumns()
	for _, several := range [][]int{n.full, n.either, n.given, n.family} {
		if len(several) > 1 && (len(n.full) != 1 || len(several) == len(n.full)) {
			return m.doubleError(fieldName, several)
		}
	}
	if len(n.full) == 1 {
		m.position[fieldName] = n.full
		return nil
	}
	if len(n.either) == 1 {
		whole, err := m.isWhole(n.either[0], slices.Concat(n.given, n.family))
		if err != nil {
			return err
		}
		switch {
		case whole:
			m.position[fieldName] = n.either
			return nil
		case len(n.given) == 0:
			n.given = n.either
		case len(n.family) == 0:
			n.family = n.either
		default:
			parts := slices.Concat(n.given, n.family)
			return invalidError("the columns %s, %s and %s are names, and the first does not hold the others: say which is the full name, %s or %s",
				m.label(n.either[0]), m.label(parts[0]), m.label(parts[1]), m.mapOption(fieldName.name(), parts...), m.mapOption(fieldName.name(), n.either[0]))
		}
	}
	if len(n.given) == 0 || len(n.family) == 0 {
		return m.halfName(slices.Concat(n.given, n.family))
	}
	m.joinName(n)
	return nil
}

// halfName is about a table with first names alone, or last names alone.
func (m *matcher) halfName(half []int) error {
	if len(half) == 0 {
		return nil
	}
	what := "first names"
	if r := m.roles[half[0]]; r == locale.FamilyName {
		what = "last names"
	}
	return invalidError("no column for %s: %s holds %s alone. Add the other half, or say that it is the full name with %s",
		fieldName.name(), m.label(half[0]), what, m.mapOption(fieldName.name(), half[0]))
}

// isWhole reports whether a column called "Name" holds the parts beside it in all rows,
// and so the full name. It is an error where some rows say so and others do not.
func (m *matcher) isWhole(name int, parts []int) (bool, error) {
	if len(parts) == 0 {
		return true, nil
	}
	yes, no := sheet.Record{}, sheet.Record{}
	for _, r := range m.t.Records {
		seen, held := 0, 0
		for _, p := range parts {
			if part := cellAt(r, p); part != "" && cellAt(r, name) != "" {
				seen++
				if holdsName(cellAt(r, name), part) {
					held++
				}
			}
		}
		switch {
		case seen == 0:
		case held == seen:
			yes = r
		default:
			no = r
		}
	}
	switch {
	case yes.Row > 0 && no.Row > 0:
		return false, invalidError("the column %s holds the full name in some rows, such as %s in row %d, and not in others, such as %s beside %s in row %d: say which is right, %s or %s",
			m.label(name), sheet.Quote(cellAt(yes, name)), yes.Row, sheet.Quote(cellAt(no, name)), sheet.Quote(cellAt(no, parts[0])), no.Row,
			m.mapOption(fieldName.name(), name), m.mapOption(fieldName.name(), append(slices.Clone(parts), name)...))
	case yes.Row == 0 && no.Row == 0:
		return true, nil // the parts are empty
	}
	return yes.Row > 0, nil
}

// holdsName reports whether a name holds all words of another.
func holdsName(whole, part string) bool {
	have := nameWords(whole)
	joined := strings.Join(have, "")
	for _, w := range nameWords(part) {
		if !slices.Contains(have, w) && !(isEastAsian(part) && strings.Contains(joined, w)) {
			return false
		}
	}
	return true
}

// nameWords are the words of a name, folded.
func nameWords(name string) (words []string) {
	for w := range strings.FieldsFuncSeq(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\'' && r != '’' }) {
		if folded := locale.Fold(w); folded != "" {
			words = append(words, folded)
		}
	}
	return words
}

// joinName has the full name joined from its parts, in the order of their language.
func (m *matcher) joinName(n nameColumns) {
	language := m.languageOf(slices.Concat(n.given, n.family))
	family := slices.Concat(n.family, n.second)
	m.name = nameOrder{family: family, japanese: language == "ja"}
	if locale.FamilyFirst(language) {
		m.position[fieldName] = slices.Concat(family, n.given, n.middle)
		return
	}
	m.position[fieldName] = slices.Concat(n.given, n.middle, family)
}

// languageOf is the language of most headings among those that know the given ones.
// Chinese and Japanese write last and first name alike; kana tell them apart.
func (m *matcher) languageOf(columns []int) string {
	best, most := "", 0
	shared := map[string]int{}
	for _, i := range columns {
		for _, one := range m.said[i] {
			if one.Role != m.roles[i] {
				continue
			}
			shared[one.Language]++
			if votes := 100*shared[one.Language] + m.votes[one.Language]; votes > most || votes == most && one.Language < best {
				best, most = one.Language, votes
			}
		}
	}
	if best == "ja" && shared["zh"] == shared["ja"] && m.votes["zh"] == m.votes["ja"] && !m.holdsKana(columns) {
		return "zh"
	}
	if best == "zh" && shared["ja"] == shared["zh"] && m.votes["ja"] == m.votes["zh"] && m.holdsKana(columns) {
		return "ja"
	}
	return best
}

func (m *matcher) holdsKana(columns []int) bool {
	return slices.ContainsFunc(m.t.Records, func(r sheet.Record) bool {
		return slices.ContainsFunc(columns, func(i int) bool { return strings.ContainsFunc(cellAt(r, i), isKana) })
	})
}

func isKana(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) }

// isEastAsian reports whether all letters of a text are Chinese, Japanese or Korean.
func isEastAsian(text string) bool {
	letters := 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
			if !unicode.In(r, unicode.Han, unicode.Hangul) && !isKana(r) {
				return false
			}
		}
	}
	return letters > 0
}

// join makes a field's value of its cells. East Asian names stand family name first
// in any table, and without a space unless they are Japanese.
func (c *columns) join(f field, r sheet.Record) string {
	at := c.position[f]
	if len(at) == 1 {
		return cellAt(r, at[0])
	}
	parts := filledCells(r, at)
	all := strings.Join(parts, "")
	if f != fieldName || !isEastAsian(all) {
		return strings.Join(parts, " ")
	}
	if len(c.name.family) > 0 {
		given := slices.DeleteFunc(slices.Clone(at), func(i int) bool { return slices.Contains(c.name.family, i) })
		parts = filledCells(r, slices.Concat(c.name.family, given))
	}
	if c.name.japanese || strings.ContainsFunc(all, isKana) {
		return strings.Join(parts, " ")
	}
	return strings.Join(parts, "")
}

func filledCells(r sheet.Record, columns []int) (texts []string) {
	for _, i := range columns {
		if text := cellAt(r, i); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}
