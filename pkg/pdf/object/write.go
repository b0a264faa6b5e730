package object

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

const hexDigits = "0123456789abcdef"

// AppendRef appends "12 0 R".
func AppendRef(b []byte, r Ref) []byte {
	b = strconv.AppendUint(b, uint64(r.Num), 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(r.Gen), 10)
	return append(b, " R"...)
}

// AppendReal appends a number with at most four decimals, never in exponent
// form, which PDF does not know.
func AppendReal(b []byte, f float64) []byte {
	b = strconv.AppendFloat(b, f, 'f', 4, 64)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	if len(b) > 1 && string(b[len(b)-2:]) == "-0" && (len(b) == 2 || !isDigit(b[len(b)-3]) && b[len(b)-3] != '.') {
		b = append(b[:len(b)-2], '0')
	}
	return b
}

// AppendHex appends a string in hexadecimal.
func AppendHex(b, s []byte) []byte {
	b = append(b, '<')
	for _, c := range s {
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return append(b, '>')
}

// AppendString appends a literal string.
func AppendString(b, s []byte) []byte {
	b = append(b, '(')
	for _, c := range s {
		switch c {
		case '(', ')', '\\':
			b = append(b, '\\', c)
		case '\r':
			b = append(b, `\r`...)
		case '\n':
			b = append(b, `\n`...)
		default:
			b = append(b, c)
		}
	}
	return append(b, ')')
}

// Text encodes s as a text string (ISO 32000-1, 7.9.2.2): ASCII as it is,
// anything else as UTF-16 with a byte order mark.
func Text(s string) []byte {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return []byte(s)
	}
	out := []byte{0xFE, 0xFF}
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u>>8), byte(u))
	}
	return out
}

// FromText decodes a text string: UTF-16 or UTF-8 with their marks, else the
// bytes as Latin-1, which PDFDocEncoding agrees with for letters.
func FromText(b []byte) string {
	switch {
	case len(b) >= 2 && b[0] == 0xFE && b[1] == 0xFF:
		units := make([]uint16, 0, len(b)/2)
		for i := 2; i+1 < len(b); i += 2 {
			units = append(units, uint16(b[i])<<8|uint16(b[i+1]))
		}
		return string(utf16.Decode(units))
	case len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF:
		return string(b[3:])
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// ParseDate reads a date string (ISO 32000-1, 7.9.4), the parts from the month
// on being optional; the zero time for what is none.
func ParseDate(s string) time.Time {
	s = strings.ReplaceAll(strings.TrimPrefix(s, "D:"), "'", "")
	digits := 0
	for digits < len(s) && isDigit(s[digits]) {
		digits++
	}
	const full = "20060102150405"
	if digits < 4 || digits > len(full) {
		return time.Time{}
	}
	layout := full[:digits]
	switch rest := s[digits:]; {
	case rest == "":
	case rest[0] == 'Z':
		s = s[:digits]
	case len(rest) == 3:
		layout += "-07"
	default:
		layout += "-0700"
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Date is a date string (ISO 32000-1, 7.9.4) of a time in UTC, given as
// "20060102150405".
func Date(utc string) string { return "D:" + utc + "+00'00'" }
