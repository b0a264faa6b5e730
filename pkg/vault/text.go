package vault

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

// Clean is how every text field is kept: without white space around it and in
// Unicode normalisation form C, so that one spelling has one byte sequence.
func Clean(s string) string {
	return norm.NFC.String(strings.TrimFunc(s, isBlank))
}

// isBlank tells white space and what, around a text, is as little to see: marks of
// byte order, of direction and of where lines may break. A text of nothing else is
// empty, whatever program it was copied from.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("\u200b\u200e\u200f\u2060\ufeff", r)
}

// FoldEmail is the form in which e-mail addresses are compared.
func FoldEmail(s string) string {
	s = Clean(s)
	if isASCII(s) {
		return strings.ToLower(s)
	}
	return foldCase(s)
}

// Fold is the form in which texts are searched: without regard to case and
// accents.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	// Polish ł, Danish ø and Turkish ı are letters of their own to Unicode, not
	// letters with a mark; people who search type l, o and i all the same.
	stripped, _, err := transform.String(transform.Chain(
		norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC), s)
	if err != nil {
		stripped = s
	}
	return strokedLetters.Replace(foldCase(stripped))
}

// foldCase folds by Unicode's table. Go's implementation swaps the two cases of
// Cherokee instead of folding them into one; lower-casing afterwards corrects that.
func foldCase(s string) string { return strings.ToLower(cases.Fold().String(s)) }

var strokedLetters = strings.NewReplacer("ł", "l", "ø", "o", "đ", "d", "ħ", "h", "ı", "i", "ŧ", "t")

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
