package sheet

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Trim takes white space off both ends, and the marks without width that
// copying from web pages leaves there.
func Trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == '\uFEFF' || r == '\u200B' })
}

// Clean is a cell's value: trimmed, NFC, without the apostrophe that keeps a
// spreadsheet from running it.
func Clean(cell string) string {
	return norm.NFC.String(Trim(UnescapeFormula(Trim(cell))))
}

// Quote shows a cell's text in a message: short, and with everything invisible
// made visible.
func Quote(s string) string {
	const shown = 60
	s = Trim(s)
	if utf8.RuneCountInString(s) > shown {
		s = string([]rune(s)[:shown-3]) + "..."
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r != ' ' && (unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)) && !isJoiner(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// isJoiner recognises the marks that Bengali, Persian and Arabic spelling needs.
func isJoiner(r rune) bool { return r == '\u200C' || r == '\u200D' }

// ShellQuote makes an argument that can be pasted into a shell.
func ShellQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(Clean(s)) + `"`
}

// Unprintable names a character that has no place in a cell; "" for any other.
// Line breaks and tabs are allowed where lines says so.
func Unprintable(r rune, lines bool) string {
	switch {
	case r >= ' ' && r < 0x7f:
		return ""
	case r == 0:
		return "a NUL byte"
	case r == utf8.RuneError:
		return "a character that is not readable in this encoding"
	case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
		if lines {
			return ""
		}
		return "a line break"
	case r == '\t':
		if lines {
			return ""
		}
		return "a tab"
	case !lines && vault.DirectionControl(r):
		return fmt.Sprintf("the invisible direction control U+%04X", r)
	case unicode.IsControl(r):
		return fmt.Sprintf("the control character U+%04X", r)
	}
	return ""
}

// Plural says how many there are of something.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// EscapeFormula puts an apostrophe before text that a spreadsheet would run.
func EscapeFormula(cell string) string {
	if isFormula(cell) {
		return "'" + cell
	}
	return cell
}

// UnescapeFormula takes that apostrophe off.
func UnescapeFormula(cell string) string {
	if rest, ok := strings.CutPrefix(cell, "'"); ok && isFormula(rest) {
		return rest
	}
	return cell
}

// isFormula reports whether a spreadsheet may take a cell for a formula.
func isFormula(cell string) bool {
	bare := strings.TrimLeft(cell, " ")
	return bare != "" && strings.ContainsAny(bare[:1], "=+-@\t\r\n") || strings.HasPrefix(bare, "＝") ||
		strings.HasPrefix(bare, "＋") || strings.HasPrefix(bare, "－") || strings.HasPrefix(bare, "＠")
}

// ColumnLetters is a column's name in a spreadsheet: 0 is A, 26 is AA.
func ColumnLetters(column int) string {
	s := ""
	for column++; column > 0; column = (column - 1) / 26 {
		s = string(rune('A'+(column-1)%26)) + s
	}
	return s
}

// ColumnNumber undoes ColumnLetters.
func ColumnNumber(letters string) int {
	n := 0
	for _, c := range letters {
		n = n*26 + int(c-'A') + 1
	}
	return n - 1
}

// CellName is a cell as a spreadsheet names it: column 4 of row 18 is E18.
func CellName(column, row int) string { return ColumnLetters(column) + strconv.Itoa(row) }

// allDigits reports whether a text is a whole number without a sign.
func allDigits(s string) bool {
	return s != "" && strings.TrimLeft(s, "0123456789") == ""
}
