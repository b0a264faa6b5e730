package vault

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// FindReference returns the reference ID that a person means who types or pastes a text: with
// spaces or other dashes in it or without any, in small letters, with the letters O and I for
// the digits 0 and 1, without what every reference ID begins with, or as the end of a link.
// It is false where the text is something else.
func FindReference(text string) (reference string, ok bool) {
	const letters = "VECIC"
	if strings.Contains(text, "/") {
		text, _, _ = strings.Cut(text, "?")
		text, _, _ = strings.Cut(text, "#")
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
	}
	all := []rune(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, norm.NFKC.String(text)))
	const digits = 4 + 13
	if len(all) < digits {
		return "", false
	}
	before, number := string(all[:len(all)-digits]), all[len(all)-digits:]
	for i, r := range number {
		switch {
		case r == 'O':
			number[i] = '0'
		case r == 'I' || r == 'L':
			number[i] = '1'
		}
	}
	before = before[max(0, len(before)-len(letters)):]
	if before != "" && strings.NewReplacer("1", "I", "L", "I").Replace(before) != letters {
		return "", false
	}
	reference = "VEC-IC-" + string(number)
	return reference, IsReference(reference)
}
