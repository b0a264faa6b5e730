package manifest

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

// suspicion says what is odd about a field's value that can be issued all the same;
// "" where nothing is.
func (c *checker) suspicion(f field, value string) string {
	if value == "" {
		return ""
	}
	switch f {
	case fieldName:
		return cmpFirst(brokenText(value), oddName(value))
	case fieldEmail:
		_, domain, _ := strings.Cut(strings.ToLower(value), "@")
		meant, known := c.domains[domain]
		if !known {
			meant = misspeltDomain(domain)
			c.domains[domain] = meant
		}
		if meant != "" {
			return fmt.Sprintf("%s may be meant for %s", sheet.Quote(domain), sheet.Quote(meant))
		}
		return ""
	case fieldDate:
		return oddDate(value, c.today)
	case fieldFile, fieldExpiry:
		return ""
	}
	return brokenText(value)
}

// cmpFirst is the first of two remarks that says something.
func cmpFirst(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// oddDate remarks on a date that few certificates have.
func oddDate(iso, today string) string {
	if iso < "1900" {
		return fmt.Sprintf("%s is before 1900", iso)
	}
	now, err := time.Parse(time.DateOnly, today)
	if err == nil && iso > now.AddDate(1, 0, 0).Format(time.DateOnly) {
		return fmt.Sprintf("%s is more than a year ahead", iso)
	}
	return ""
}

// oddName remarks on a name that is hardly one.
func oddName(name string) string {
	letters, digits := 0, 0
	for _, r := range name {
		switch {
		case unicode.IsLetter(r):
			letters++
		case unicode.IsDigit(r):
			digits++
		}
	}
	switch {
	case letters == 0 && digits > 0:
		return fmt.Sprintf("%s is a number, not a name", sheet.Quote(name))
	case letters == 0:
		return fmt.Sprintf("%s is not a name", sheet.Quote(name))
	case standsForNothing(name):
		return fmt.Sprintf("%s is a placeholder, not a name", sheet.Quote(name))
	case plausibleEmail(name):
		return fmt.Sprintf("%s is an e-mail address, not a name", sheet.Quote(name))
	case letters == 1 && !isEastAsian(name):
		return fmt.Sprintf("%s is a single letter", sheet.Quote(name))
	case strings.Contains(name, ",") && !strings.Contains(name, "."):
		return fmt.Sprintf("%s is printed as it stands, with the last name first", sheet.Quote(name))
	}
	return ""
}

// standsForNothing recognises what people write where there is nothing to write.
func standsForNothing(name string) bool {
	if name == "NA" {
		return true // in small letters it is a name
	}
	switch strings.ToLower(strings.Trim(name, " .-_/()[]")) {
	case "n/a", "n.a", "n. a", "none", "null", "nil", "nan", "undefined", "unknown", "tbd", "tba", "test", "xxx", "k.a", "k. a", "unbekannt", "inconnu", "desconocido",
		"sconosciuto", "brak", "yok", "onbekend", "keine", "leer", "(leer)", "blank", "empty", "#n/a", "name", "full name":
		return true
	}
	return false
}

// brokenText remarks on text that was read in a wrong encoding somewhere on its way,
// or lost letters there.
func brokenText(text string) string {
	if meant := mojibake(text); meant != "" {
		return fmt.Sprintf("%s was read in a wrong encoding somewhere, and probably means %s", sheet.Quote(text), sheet.Quote(meant))
	}
	if lostLetters(text) {
		return fmt.Sprintf("%s has a question mark in a word, as where a letter was lost", sheet.Quote(text))
	}
	return ""
}

// mojibake is what a text was before its UTF-8 was taken for another encoding; "" where
// it reads like no such text.
func mojibake(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return ""
	}
	for _, page := range []*charmap.Charmap{charmap.Windows1252, charmap.Windows1250, charmap.Windows1254, charmap.Windows1251, charmap.Macintosh, charmap.CodePage850, charmap.CodePage437} {
		meant, ok := redecode(text, page)
		if !ok {
			continue
		}
		if again := mojibake(meant); again != "" {
			return again // it happened twice
		}
		return meant
	}
	return mojibakeWords(text)
}

// mojibakeWords is what a text means of which some words alone were read in a wrong
// encoding, as where a name is joined of several cells; "" where it has none.
func mojibakeWords(text string) string {
	words, found := strings.Split(text, " "), false
	for i, word := range words {
		if meant, ok := redecode(word, charmap.Windows1252); ok && len(words) > 1 {
			words[i], found = meant, true
		}
	}
	if !found {
		return ""
	}
	return strings.Join(words, " ")
}

// redecode writes a text in a code page and reads it as UTF-8. It is good where that
// makes fewer characters, all of which have a place in a word.
func redecode(text string, page *charmap.Charmap) (string, bool) {
	raw := make([]byte, 0, len(text))
	for _, r := range text {
		b, ok := page.EncodeRune(r)
		switch {
		case ok:
		case page == charmap.Windows1252 && r < 0x100:
			b = byte(r) // the five places that it leaves empty stay what they are
		default:
			return "", false
		}
		raw = append(raw, b)
	}
	meant := string(raw)
	if !utf8.Valid(raw) || utf8.RuneCountInString(meant) >= utf8.RuneCountInString(text) {
		return "", false
	}
	for _, r := range meant {
		if r >= utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsMark(r) && !strings.ContainsRune("’‘“”–—… ·«»©®™°", r) || unicode.IsControl(r) {
			return "", false
		}
	}
	return meant, true
}

// lostLetters reports whether a question mark stands where a letter did: within a
// word, before one, or several in a row.
func lostLetters(text string) bool {
	if !strings.ContainsAny(text, "?\uFFFD") {
		return false
	}
	letters := []rune(text)
	for i, r := range letters {
		if r == utf8.RuneError {
			return true
		}
		if r != '?' {
			continue
		}
		next := i+1 < len(letters) && (unicode.IsLetter(letters[i+1]) || letters[i+1] == '?')
		before := i > 0 && unicode.IsLetter(letters[i-1])
		if next || before && i+1 < len(letters) && letters[i+1] != ' ' {
			return true
		}
	}
	return false
}
