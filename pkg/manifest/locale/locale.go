// Package locale knows what column headings, months and forms of address are called in the
// languages of the people who write lists of certificates, and reads the dates that they write.
// The words stand in languages.yaml, which anyone can extend.
package locale

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/unicode/norm"
)

// Role is what a column holds, as its heading says.
type Role string

// Roles. Name is a word for the full name that beside a first or a last name
// means the other half of it.
const (
	Title            Role = "certificate_title"
	FullName         Role = "full_name"
	Name             Role = "name"
	GivenName        Role = "given_name"
	MiddleName       Role = "middle_name"
	FamilyName       Role = "family_name"
	SecondFamilyName Role = "second_family_name"
	Email            Role = "applicant_email"
	IssueDate        Role = "issue_date"
	Details          Role = "details"
	File             Role = "file"
	BirthDate        Role = "birth_date"
)

// Meaning is what a heading says in one language.
type Meaning struct {
	Language string
	Role     Role
	// Weak is a heading that has the role only where no other column has it.
	Weak bool
}

//go:embed languages.yaml
var languagesYAML []byte

// language is a block of languages.yaml.
type language struct {
	FamilyFirst bool     `yaml:"family_first"`
	Months      []string `yaml:"months"`
	Weekdays    []string `yaml:"weekdays"`
	DateWords   []string `yaml:"date_words"`
	Address     []string `yaml:"forms_of_address"`

	Title            []string `yaml:"certificate_title"`
	TitleAlso        []string `yaml:"certificate_title_also"`
	FullName         []string `yaml:"full_name"`
	Name             []string `yaml:"name"`
	GivenName        []string `yaml:"given_name"`
	MiddleName       []string `yaml:"middle_name"`
	FamilyName       []string `yaml:"family_name"`
	SecondFamilyName []string `yaml:"second_family_name"`
	Email            []string `yaml:"applicant_email"`
	IssueDate        []string `yaml:"issue_date"`
	IssueDateAlso    []string `yaml:"issue_date_also"`
	BirthDate        []string `yaml:"birth_date"`
	Details          []string `yaml:"details"`
	File             []string `yaml:"file"`
}

// tables is languages.yaml, ready for lookups by folded words.
type tables struct {
	headings    map[string][]Meaning
	months      map[string]int
	weekdays    map[string]bool
	dateWords   map[string]bool
	address     map[string]bool
	familyFirst map[string]bool
}

var loaded = sync.OnceValue(func() *tables {
	t, err := load(languagesYAML)
	if err != nil {
		panic(err) // the file is part of the program, and a test reads it
	}
	return t
})

func load(data []byte) (*tables, error) {
	var all map[string]language
	d := yaml.NewDecoder(strings.NewReader(string(data)))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil {
		return nil, fmt.Errorf("languages.yaml: %w", err)
	}
	t := &tables{headings: map[string][]Meaning{}, months: map[string]int{}, weekdays: map[string]bool{},
		dateWords: map[string]bool{}, address: map[string]bool{}, familyFirst: map[string]bool{}}
	for name, l := range all {
		if err := t.add(name, l); err != nil {
			return nil, err
		}
	}
	for _, meanings := range t.headings {
		slices.SortFunc(meanings, func(a, b Meaning) int { return strings.Compare(a.Language, b.Language) })
	}
	return t, nil
}

// add takes a language in.
func (t *tables) add(name string, l language) error {
	t.familyFirst[name] = l.FamilyFirst
	for _, r := range []struct {
		role  Role
		weak  bool
		words []string
	}{
		{Title, false, l.Title}, {Title, true, l.TitleAlso}, {FullName, false, l.FullName}, {Name, false, l.Name},
		{GivenName, false, l.GivenName}, {MiddleName, false, l.MiddleName}, {FamilyName, false, l.FamilyName},
		{SecondFamilyName, false, l.SecondFamilyName}, {Email, false, l.Email}, {IssueDate, false, l.IssueDate},
		{IssueDate, true, l.IssueDateAlso}, {BirthDate, false, l.BirthDate}, {Details, false, l.Details}, {File, false, l.File},
	} {
		for _, word := range r.words {
			key := Fold(word)
			t.headings[key] = append(t.headings[key], Meaning{Language: name, Role: r.role, Weak: r.weak})
		}
	}
	for i, month := range l.Months {
		for form := range strings.SplitSeq(month, "|") {
			key := Fold(form)
			if m := t.months[key]; m != 0 && m != i+1 {
				return fmt.Errorf("languages.yaml: %s: %q is two months", name, form)
			}
			t.months[key] = i + 1
		}
	}
	for to, words := range map[*map[string]bool][]string{&t.weekdays: l.Weekdays, &t.dateWords: l.DateWords, &t.address: l.Address} {
		for _, w := range words {
			(*to)[Fold(w)] = true
		}
	}
	return nil
}

// Heading returns what a heading means, in every language that has it.
func Heading(heading string) []Meaning { return loaded().headings[Fold(cutRemark(heading))] }

// HeadingsOf returns the folded headings of a role.
func HeadingsOf(role Role) []string {
	var found []string
	for heading, meanings := range loaded().headings {
		if slices.ContainsFunc(meanings, func(m Meaning) bool { return m.Role == role }) {
			found = append(found, heading)
		}
	}
	slices.Sort(found)
	return found
}

// FamilyFirst reports whether a language puts the family name first.
func FamilyFirst(language string) bool { return loaded().familyFirst[language] }

// Month is the number of a month that a word names in any language, 0 for none.
func Month(word string) int {
	if word == "" || word[0] < 'A' {
		return 0 // digits, mostly
	}
	return loaded().months[Fold(word)]
}

// IsWeekday reports whether a word is the name of a day of the week.
func IsWeekday(word string) bool { return loaded().weekdays[Fold(word)] }

// IsDateWord reports whether a word may stand inside a date without a meaning
// of its own, such as the two of "1 de junio de 2026".
func IsDateWord(word string) bool { return loaded().dateWords[Fold(word)] }

// IsFormOfAddress reports whether a text is a form of address, such as Mr.
func IsFormOfAddress(text string) bool { return loaded().address[Fold(text)] }

// cutRemark takes a remark in brackets off a heading's end.
func cutRemark(heading string) string {
	for _, brackets := range []string{"()", "[]", "（）"} {
		pair := []rune(brackets)
		before, after, ok := strings.Cut(heading, string(pair[0]))
		if ok && strings.HasSuffix(strings.TrimSpace(after), string(pair[1])) && Fold(before) != "" {
			return before
		}
	}
	return heading
}

// FoldHeading leaves of a heading what identifies it.
func FoldHeading(heading string) string { return Fold(cutRemark(heading)) }

// Fold leaves of a text what identifies it to a reader: letters and digits, in
// lower case, without accents. Letters that people write in two ways, such as
// Arabic alif, become one.
func Fold(text string) string {
	if folded, ok := foldASCII(text); ok {
		return folded
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(text) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if plain, ok := plainLetter(unicode.ToLower(r)); ok {
				b.WriteString(plain)
			} else {
				b.WriteRune(unicode.ToLower(r))
			}
		case unicode.IsMark(r) && !isAccent(r):
			b.WriteRune(r) // a vowel of an Indic script
		}
	}
	return b.String()
}

// foldASCII is Fold for the texts that need least work.
func foldASCII(text string) (string, bool) {
	b := make([]byte, 0, len(text))
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 0x80:
			return "", false
		case c >= 'A' && c <= 'Z':
			b = append(b, c+'a'-'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b = append(b, c)
		}
	}
	return string(b), true
}

// isAccent recognises marks that may be left out: accents of Latin, Greek and
// Cyrillic letters, and the vowel signs and hamzas of Arabic.
func isAccent(r rune) bool {
	return r >= 0x300 && r <= 0x36f || r >= 0x64b && r <= 0x65f || r == 0x670 || r == 0x93c || r == 0x9bc
}

// plainLetter is the spelling of a letter without what only its own language
// writes; ok is false where the letter stays as it is.
func plainLetter(r rune) (plain string, ok bool) {
	switch r {
	case 'ı':
		return "i", true
	case 'ł':
		return "l", true
	case 'ø':
		return "o", true
	case 'đ', 'ð':
		return "d", true
	case 'ß':
		return "ss", true
	case 'æ':
		return "ae", true
	case 'œ':
		return "oe", true
	case 'þ':
		return "th", true
	case 'ى', 'ی':
		return "ي", true
	case 'ة':
		return "ه", true
	case 'ک':
		return "ك", true
	case 'ـ': // the stroke that stretches an Arabic word
		return "", true
	}
	return "", false
}
