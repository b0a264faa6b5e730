package vault

import (
	"fmt"
	"regexp"
	"strings"
)

// maxSlug is the most characters of a slug.
const maxSlug = 40

var slugPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

const slugRule = "a slug has small letters, digits and single hyphens, at most 40, and at least one letter"

// ValidSlug reports whether a text can name an institution on command lines. A number
// cannot: it is an institution's ID.
func ValidSlug(s string) bool {
	return len(s) <= maxSlug && slugPattern.MatchString(s) && strings.ContainsFunc(s, func(r rune) bool { return r >= 'a' })
}

// SlugOf makes a slug of an institution's name. Where nothing of the name can be written
// in Latin letters, the slug has the institution's number.
func SlugOf(name string, id uint32) string {
	var b strings.Builder
	for _, r := range slugLetters.Replace(Fold(name)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	slug := b.String()
	slug = strings.Trim(slug[:min(len(slug), maxSlug)], "-")
	if !ValidSlug(slug) {
		return fmt.Sprintf("institution-%d", id)
	}
	return slug
}

var slugLetters = strings.NewReplacer("ß", "ss", "æ", "ae", "œ", "oe", "þ", "th", "ð", "d", "'", "", "’", "")

// FreeSlug returns a slug, with a number behind it where it is taken.
func FreeSlug(slug string, taken func(string) bool) string {
	free := slug
	for n := 2; taken(free); n++ {
		number := fmt.Sprintf("-%d", n)
		free = strings.TrimRight(slug[:min(len(slug), maxSlug-len(number))], "-") + number
	}
	return free
}

// SameName reports whether two institutions' names differ in nothing but white space and
// case.
func SameName(a, b string) bool { return foldName(a) == foldName(b) }

func foldName(name string) string { return strings.Join(strings.Fields(foldCase(Clean(name))), " ") }
