package manifest

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/vault"
)

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
		if fault := emailFault(value); fault != "" {
			return sheet.Quote(value) + ", " + fault, emailExample
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
	case "#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#BLOCKED!", "#FIELD!", "#BUSY!":
		return true
	}
	// LibreOffice has numbers for its own, such as Err:502.
	number, ok := strings.CutPrefix(value, "Err:")
	return ok && len(number) == 3 && strings.Trim(number, "0123456789") == ""
}
