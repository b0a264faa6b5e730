package manifest

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/vault"
)

const emailExample = "an e-mail address such as name@example.org"

// checkCell says what is wrong with a field's value; an empty want is nothing.
func checkCell(f field, value string) (found, want string) {
	if value == "" {
		if f.required() {
			return "nothing", expected(f)
		}
		return "", ""
	}
	d, _ := f.described()
	if what := firstUnprintable(value, d.Kind == vault.LinesField); what != "" {
		return fmt.Sprintf("%s in %s", what, sheet.Quote(value)), expected(f) + " of printable characters only"
	}
	if spreadsheetError(value) {
		return "the spreadsheet's error " + sheet.Quote(value), expected(f)
	}
	if n := utf8.RuneCountInString(value); n > f.limit() {
		return fmt.Sprintf("%d characters, %s", n, sheet.Quote(value)), fmt.Sprintf("at most %d", f.limit())
	}
	switch f {
	case fieldEmail:
		if !plausibleEmail(value) {
			return sheet.Quote(value), emailExample
		}
	case fieldFile:
		if want := unsafeName(value); want != "" {
			return sheet.Quote(value), want
		}
	}
	return "", ""
}

// expected says what belongs into a field.
func expected(f field) string {
	switch f {
	case field(vault.FieldTitle):
		return "the certificate's title"
	case field(vault.FieldName):
		return "the recipient's full name"
	case fieldEmail:
		return emailExample
	case fieldFile:
		return "the name of the certificate's file"
	}
	return "text"
}

// firstUnprintable names the first character that cannot be kept; "" for none.
func firstUnprintable(value string, lines bool) string {
	if !utf8.ValidString(value) {
		return sheet.Unprintable(utf8.RuneError, lines)
	}
	for _, r := range value {
		if r >= ' ' && r <= '~' {
			continue // nearly all of them
		}
		if what := sheet.Unprintable(r, lines); what != "" {
			return what
		}
	}
	return ""
}

// spreadsheetError recognises what a failed formula leaves in its cell.
func spreadsheetError(value string) bool {
	switch value {
	case "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!":
		return true
	}
	return false
}

// plausibleEmail accepts an address of the form local@domain as in RFC 5321
// 4.1.2 with the dot-string form of the local part, and the letters of all
// scripts (RFC 6531). Names, comments, quoted parts and address literals are
// refused: in a list of recipients they are mistakes.
func plausibleEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && plausibleLocal(local) && plausibleDomain(domain)
}

func plausibleLocal(local string) bool {
	if local == "" || len(local) > 64 || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") || strings.Contains(local, "..") {
		return false
	}
	for _, r := range local {
		if !isLetter(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.", r) {
			return false
		}
	}
	return true
}

// plausibleDomain accepts a host name with a dot, in ASCII or in any script.
func plausibleDomain(domain string) bool {
	if len(domain) > 253 || !strings.Contains(domain, ".") {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || strings.HasSuffix(label, "-") {
			return false
		}
		for _, r := range label {
			if !isLetter(r) && r != '-' {
				return false
			}
		}
		last = label
	}
	return strings.ContainsFunc(last, func(r rune) bool { return !unicode.IsDigit(r) })
}

// isLetter reports whether a character can be part of a word in some script.
func isLetter(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}
