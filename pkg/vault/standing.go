package vault

import (
	"strings"
	"unicode"
)

// Standing is what a certificate counts for in the eyes of somebody who checks
// it.
type Standing string

// The standings that there are.
const (
	Genuine    Standing = "genuine"
	TakenBack  Standing = "revoked"
	Superseded Standing = "superseded" // genuine, but a corrected one took its place
	Unfinished Standing = "processing"
	Unissued   Standing = "failed"
	Withdrawn  Standing = "withdrawn" // its data were erased
	Unknown    Standing = "unknown"   // there is none
)

// Standing is what the certificate counts for now.
func (c Certificate) Standing() Standing {
	switch {
	case c.Open() || c.Status == Rejected:
		return Unknown // an application is no certificate
	case c.ErasedAt != nil:
		return Withdrawn
	case c.Status == Processing:
		return Unfinished
	case c.Status == Failed:
		return Unissued
	case c.Status == Revoked:
		return TakenBack
	case c.SupersededBy != "":
		return Superseded
	}
	return Genuine
}

// Issued tells whether there is a document that anybody may be shown.
func (s Standing) Issued() bool { return s == Genuine || s == TakenBack || s == Superseded }

// PartialName is a name of which only so much is shown that its bearer can be
// recognised by who knows it: the first word and the initials of the others; of a
// single word the first letter.
func PartialName(name string) string {
	words := strings.Fields(name)
	if len(words) == 1 {
		return initial(words[0]) + "\u2026"
	}
	for i := 1; i < len(words); i++ {
		words[i] = initial(words[i]) + "."
	}
	return strings.Join(words, " ")
}

// initial is a word's first letter with its marks.
func initial(word string) string {
	for i, r := range word {
		if i > 0 && !unicode.Is(unicode.M, r) {
			return word[:i]
		}
	}
	return word
}
