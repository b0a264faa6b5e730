// Package names finds people's names in the texts of documents. Case, accents, the
// order of words, ligatures and line breaks do not count; initials and particles
// such as "van der" may stand on one side only.
package names

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/manifest/locale"
)

// Match is how well a text names a person.
type Match int

// Matches, from none to all words of the name.
const (
	Absent Match = iota
	Loose        // with an initial for a word, without a middle name, or with its letters set apart
	Exact
)

// Found is whom a text names.
type Found struct {
	Own    Match
	Others []int // other people of the index that it names exactly; a few at most
}

// Index is the people of a list.
type Index struct {
	people []person
	words  map[string][]int // by the rarest word of a name, in all its spellings: the people
	pairs  map[string][]int // by the first two letters of an East Asian name
}

// person is a name in the form in which it is looked for.
type person struct {
	words    [][]string // each with its spellings; particles and forms of address are left out
	squashed []string   // the letters without spaces, forward and with the words turned around
	eastern  bool       // its letters are Chinese, Japanese or Korean
}

// NewIndex makes an index of names. People are known by their place.
func NewIndex(names []string) *Index {
	x := &Index{people: make([]person, len(names)), words: map[string][]int{}, pairs: map[string][]int{}}
	frequency := map[string]int{}
	for i, name := range names {
		x.people[i] = newPerson(name)
		for _, w := range x.people[i].words {
			frequency[w[0]]++
		}
	}
	for i, p := range x.people {
		switch {
		case p.eastern:
			if letters := []rune(p.squashed[0]); len(letters) > 1 {
				key := string(letters[:2])
				x.pairs[key] = append(x.pairs[key], i)
			}
		case len(p.words) > 1:
			rarest := slices.MinFunc(p.words, func(a, b []string) int { return frequency[a[0]] - frequency[b[0]] })
			for _, spelling := range rarest {
				x.words[spelling] = append(x.words[spelling], i)
			}
		}
	}
	return x
}

func newPerson(name string) person {
	var p person
	var whole []string
	for _, w := range splitWords(name) {
		whole = append(whole, locale.Fold(w))
		if spelled := spellings(w); len(spelled) > 0 && !isParticle(spelled[0]) && !locale.IsFormOfAddress(w) {
			p.words = append(p.words, spelled)
		}
	}
	if len(p.words) < 2 { // Ben and Al are names too where no other word tells people apart
		p.words = nil
		for _, w := range splitWords(name) {
			p.words = append(p.words, spellings(w))
		}
	}
	p.eastern = isEastern(name)
	p.squashed = []string{strings.Join(whole, "")}
	slices.Reverse(whole)
	if turned := strings.Join(whole, ""); turned != p.squashed[0] {
		p.squashed = append(p.squashed, turned)
	}
	return p
}

// Find looks in a text for a person of the index, and for the others.
func (x *Index) Find(text string, own int) Found {
	t := newText(text)
	found := Found{Own: t.names(x.people[own])}
	if found.Own == Exact {
		return found // whom else it names does not matter then
	}
	const few = 3
	seen := map[int]bool{own: true}
	add := func(i int) {
		if !seen[i] && len(found.Others) < few && t.names(x.people[i]) == Exact {
			found.Others = append(found.Others, i)
		}
		seen[i] = true
	}
	for word := range t.at {
		for _, i := range x.words[word] {
			add(i)
		}
	}
	letters := []rune(t.squashed)
	for i := 0; i+2 <= len(letters) && len(x.pairs) > 0; i++ {
		for _, one := range x.pairs[string(letters[i:i+2])] {
			add(one)
		}
	}
	slices.Sort(found.Others)
	return found
}

// text is the words of a document.
type text struct {
	words    []string
	at       map[string][]int // where each spelling of each word stands
	squashed string           // all letters, without spaces
}

func newText(s string) text {
	t := text{at: map[string][]int{}}
	var all strings.Builder
	for _, w := range splitWords(s) {
		spelled := spellings(w)
		if len(spelled) == 0 {
			continue
		}
		for _, one := range spelled {
			t.at[one] = append(t.at[one], len(t.words))
		}
		if isRightToLeft(w) {
			// Where the glyphs stand in the order of the page, the letters run backwards.
			turned := reverse(spelled[0])
			t.at[turned] = append(t.at[turned], len(t.words))
		}
		t.words = append(t.words, spelled[0])
		all.WriteString(spelled[0])
	}
	t.squashed = all.String()
	return t
}

// names reports how well the text names a person.
func (t text) names(p person) Match {
	if p.eastern {
		return t.namesEastern(p)
	}
	best := t.namesWords(p)
	if best == Absent && t.namesSquashed(p) {
		return Loose
	}
	return best
}

// namesEastern looks for a name that may stand without spaces around it. In two
// letters only, it must not be part of a longer word.
func (t text) namesEastern(p person) Match {
	for _, s := range p.squashed {
		switch {
		case !strings.Contains(t.squashed, s):
		case len([]rune(s)) > 2 || len(t.at[s]) > 0:
			return Exact
		default:
			return Loose
		}
	}
	return Absent
}

// namesSquashed looks for a name whose letters are set apart, or run backwards.
func (t text) namesSquashed(p person) bool {
	const least = 6
	for _, s := range p.squashed {
		if len([]rune(s)) < least {
			continue
		}
		if strings.Contains(t.squashed, s) {
			return true
		}
		if isRightToLeft(s) && strings.Contains(t.squashed, reverse(s)) {
			return true
		}
	}
	// Indic vowels stand where they are drawn, which is not where they are spelled.
	for _, s := range p.squashed {
		if bare := withoutMarks(s); bare != s && len([]rune(bare)) >= 4 && strings.Contains(withoutMarks(t.squashed), bare) {
			return true
		}
	}
	return false
}

// namesWords looks for the words of a name near each other, in any order.
func (t text) namesWords(p person) Match {
	const beside = 3 // words that may stand between, such as a second first name
	best := Absent
	for _, start := range p.words {
		for _, spelling := range start {
			for _, at := range t.at[spelling] {
				reach := len(p.words) - 1 + beside
				if m := t.near(p, at-reach, at+reach); m > best {
					best = m
				}
				if best == Exact {
					return best
				}
			}
		}
	}
	return best
}

// near reports how well the words from first to last name a person. One initial in
// place of a word makes it loose, and so does a missing word of three or more.
func (t text) near(p person, first, last int) Match {
	whole, initials, missing := 0, 0, 0
	for _, w := range p.words {
		switch {
		case t.within(w, first, last):
			whole++
		case t.initialWithin(w, first, last):
			initials++
		default:
			missing++
		}
	}
	switch {
	case initials == 0 && missing == 0:
		return Exact
	case whole == 0, missing > 0 && (len(p.words) < 3 || 3*missing > len(p.words)):
		return Absent
	}
	return Loose
}

// within reports whether a word stands between two places in any of its spellings.
func (t text) within(spellings []string, first, last int) bool {
	for _, s := range spellings {
		for _, at := range t.at[s] {
			if at >= first && at <= last {
				return true
			}
		}
	}
	return false
}

// initialWithin reports whether the initial of a word stands there alone, or a word
// of which it is the initial.
func (t text) initialWithin(spellings []string, first, last int) bool {
	letters := []rune(spellings[0])
	for at := max(first, 0); at <= min(last, len(t.words)-1); at++ {
		there := []rune(t.words[at])
		if there[0] == letters[0] && (len(there) == 1 || len(letters) == 1) {
			return true
		}
	}
	return false
}

// splitWords splits a text at what is neither a letter nor a mark. Apostrophes and
// joiners belong to words.
func splitWords(s string) []string {
	return strings.FieldsFunc(norm.NFKC.String(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !strings.ContainsRune("'’ʼ`´\u00ad\u200c\u200d\u0640", r)
	})
}

// spellings are the ways to write a word without its accents: Müller is muller and
// mueller.
func spellings(word string) []string {
	folded := locale.Fold(word)
	if folded == "" {
		return nil
	}
	all := []string{folded}
	if !strings.ContainsFunc(word, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return all
	}
	lower := strings.ToLower(norm.NFC.String(word))
	for _, r := range []*strings.Replacer{
		strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "å", "aa", "ø", "oe"),
		strings.NewReplacer("đ", "dj", "ñ", "nn"),
	} {
		if other := locale.Fold(r.Replace(lower)); !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	return all
}

// isParticle recognises the small words of names that one writes and another does not.
func isParticle(word string) bool {
	switch word {
	case "van", "von", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "das", "du", "des", "la", "le", "las", "los", "el", "al", "bin", "bint", "ibn", "ben", "zu", "zum",
		"zur", "vom", "und", "y", "e", "i", "ter", "ten", "te", "op", "af", "av", "jr", "sr", "ii", "iii", "iv", "phd", "msc", "bsc", "ma", "mba", "dr", "prof", "ال", "بن", "ابن", "بنت":
		return true
	}
	return false
}

func isEastern(name string) bool {
	letters := 0
	for _, r := range name {
		if !unicode.IsLetter(r) {
			continue
		}
		if !unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) {
			return false
		}
		letters++
	}
	return letters > 0
}

func isRightToLeft(word string) bool {
	return strings.ContainsFunc(word, func(r rune) bool {
		return unicode.In(r, unicode.Arabic, unicode.Hebrew, unicode.Thaana, unicode.Syriac)
	})
}

func reverse(s string) string {
	letters := []rune(s)
	slices.Reverse(letters)
	return string(letters)
}

func withoutMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsMark(r) {
			return -1
		}
		return r
	}, s)
}
