package page

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// glyphText is what a glyph's name says, by the rules of the Adobe Glyph List
// Specification: uni0141, u1F600, Lslash, eacute, f_i, A.sc; "" where it says nothing.
func glyphText(name string) string {
	name, _, _ = strings.Cut(name, ".")
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		b.WriteString(oneGlyph(part))
	}
	return b.String()
}

func oneGlyph(name string) string {
	if utf8.RuneCountInString(name) == 1 {
		return name
	}
	if text, ok := namedGlyph(name); ok {
		return text
	}
	if digits, ok := strings.CutPrefix(name, "uni"); ok && len(digits)%4 == 0 {
		var b strings.Builder
		for i := 0; i+4 <= len(digits); i += 4 {
			n, err := strconv.ParseUint(digits[i:i+4], 16, 32)
			if err != nil {
				return ""
			}
			b.WriteRune(rune(n))
		}
		return b.String()
	}
	if digits, ok := strings.CutPrefix(name, "u"); ok && len(digits) >= 4 && len(digits) <= 6 {
		if n, err := strconv.ParseUint(digits, 16, 32); err == nil {
			return string(rune(n))
		}
	}
	if digits, ok := strings.CutPrefix(name, "afii"); ok {
		n, err := strconv.Atoi(digits)
		if err == nil {
			return cyrillicGlyph(n)
		}
	}
	return accented(name)
}

// accented reads a letter with an accent behind its name: eacute, Zdotaccent.
func accented(name string) string {
	for _, a := range []struct {
		name string
		mark rune
	}{
		{"acute", 0x301}, {"grave", 0x300}, {"circumflex", 0x302}, {"dieresis", 0x308}, {"tilde", 0x303}, {"ring", 0x30a}, {"cedilla", 0x327}, {"caron", 0x30c},
		{"ogonek", 0x328}, {"macron", 0x304}, {"breve", 0x306}, {"dotaccent", 0x307}, {"hungarumlaut", 0x30b}, {"commaaccent", 0x326}, {"dotbelow", 0x323}, {"horn", 0x31b}, {"hookabove", 0x309},
	} {
		base, ok := strings.CutSuffix(name, a.name)
		switch {
		case !ok || base == "":
		case len(base) == 1:
			return norm.NFC.String(base + string(a.mark))
		default:
			if inner := accented(base); inner != "" { // acircumflexacute
				return norm.NFC.String(inner + string(a.mark))
			}
		}
	}
	return ""
}

// namedGlyph is a glyph with a name of its own.
func namedGlyph(name string) (string, bool) {
	for _, g := range [...]struct{ names, text string }{
		{"space nbspace nonbreakingspace", " "}, {"hyphen sfthyphen minus", "-"}, {"endash emdash", "–"},
		{"zero", "0"}, {"one", "1"}, {"two", "2"}, {"three", "3"}, {"four", "4"}, {"five", "5"}, {"six", "6"}, {"seven", "7"}, {"eight", "8"}, {"nine", "9"},
		{"germandbls", "ß"}, {"Lslash", "Ł"}, {"lslash", "ł"}, {"Oslash", "Ø"}, {"oslash", "ø"}, {"AE", "Æ"}, {"ae", "æ"}, {"OE", "Œ"}, {"oe", "œ"},
		{"Eth", "Ð"}, {"eth", "ð"}, {"Thorn", "Þ"}, {"thorn", "þ"}, {"Dcroat Dslash", "Đ"}, {"dcroat dmacron", "đ"}, {"Hbar", "Ħ"}, {"hbar", "ħ"}, {"dotlessi", "ı"}, {"Idot", "İ"},
		{"ff", "ff"}, {"fi", "fi"}, {"fl", "fl"}, {"ffi", "ffi"}, {"ffl", "ffl"}, {"quoteright quotesingle apostrophe", "’"},
		{"period", "."}, {"comma", ","}, {"slash fraction", "/"}, {"colon", ":"}, {"semicolon", ";"}, {"parenleft bracketleft", "("}, {"parenright bracketright", ")"}, {"ampersand", "&"}, {"at", "@"},
	} {
		for n := range strings.SplitSeq(g.names, " ") {
			if n == name {
				return g.text, true
			}
		}
	}
	return "", false
}

// cyrillicGlyph is a Cyrillic letter by its number in Apple's list, by which the Adobe
// Glyph List names it.
func cyrillicGlyph(n int) string {
	switch {
	case n >= 10017 && n <= 10022: // А to Е
		return string(rune('А' + n - 10017))
	case n == 10023:
		return "Ё"
	case n >= 10024 && n <= 10049: // Ж to Я
		return string(rune('Ж' + n - 10024))
	case n >= 10065 && n <= 10070:
		return string(rune('а' + n - 10065))
	case n == 10071:
		return "ё"
	case n >= 10072 && n <= 10097:
		return string(rune('ж' + n - 10072))
	}
	switch n {
	case 10050:
		return "Ґ"
	case 10098:
		return "ґ"
	case 10053:
		return "Є"
	case 10101:
		return "є"
	case 10055:
		return "І"
	case 10103:
		return "і"
	case 10056:
		return "Ї"
	case 10104:
		return "ї"
	case 10062:
		return "Ў"
	case 10110:
		return "ў"
	}
	return ""
}
