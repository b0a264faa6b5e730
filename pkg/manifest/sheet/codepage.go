package sheet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Encodings are those that help and messages name. Others of their kin are
// understood too.
const Encodings = "utf-8, utf-16, windows-1250 (Central Europe), windows-1251 (Cyrillic), windows-1252 (Western Europe), windows-1254 (Turkish), " +
	"iso-8859-2, macintosh, gb18030 (Chinese), shift-jis (Japanese)"

// multiByte are the encodings of East Asia, by the names that they go by.
func multiByte(name string) (encoding.Encoding, string) {
	switch name {
	case "gb18030", "gbk", "gb2312", "cp936", "windows-936":
		return simplifiedchinese.GB18030, "gb18030"
	case "shift-jis", "shiftjis", "sjis", "cp932", "windows-932", "windows-31j", "ms932":
		return japanese.ShiftJIS, "shift-jis"
	case "euc-jp":
		return japanese.EUCJP, name
	case "big5", "cp950", "windows-950":
		return traditionalchinese.Big5, "big5"
	case "euc-kr", "cp949", "windows-949", "ks-c-5601-1987":
		return korean.EUCKR, "euc-kr"
	}
	return nil, ""
}

// codePage finds an encoding and its own name by the name that a person gives,
// such as windows-1250, cp1250, latin2 or iso-8859-2; nil when there is none.
func codePage(name string) (encoding.Encoding, string) {
	name = strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(Trim(name)))
	if e, known := multiByte(name); e != nil {
		return e, known
	}
	switch name {
	case "mac", "macroman", "mac-roman", "x-mac-roman":
		name = "macintosh"
	case "latin1", "latin-1", "iso-8859-1", "iso8859-1":
		name = "iso-8859-1"
	case "latin2", "latin-2", "iso8859-2":
		name = "iso-8859-2"
	case "latin5", "latin-5", "iso8859-9":
		name = "iso-8859-9"
	case "latin9", "latin-9", "iso8859-15":
		name = "iso-8859-15"
	case "ansi":
		name = "windows-1252"
	}
	if rest, ok := strings.CutPrefix(name, "cp125"); ok {
		name = "windows-125" + rest
	} else if len(name) == 4 && strings.HasPrefix(name, "125") {
		name = "windows-" + name
	}
	for _, e := range charmap.All {
		c, ok := e.(*charmap.Charmap)
		if !ok {
			continue
		}
		own := strings.ToLower(strings.ReplaceAll(c.String(), " ", "-"))
		if own == name || strings.Replace(own, "ibm-code-page-", "cp", 1) == name || strings.Replace(own, "ibm-code-page-", "ibm", 1) == name {
			return c, name
		}
	}
	return nil, ""
}

// likelyEncodings are those in which a list of people comes that is neither UTF-8
// nor UTF-16: what Excel saves as CSV in most of the world.
func likelyEncodings() []string {
	return []string{"windows-1252", "windows-1250", "iso-8859-2", "windows-1254", "windows-1251", "windows-1253", "windows-1256",
		"windows-1257", "macintosh", "cp850", "gb18030", "shift-jis", "big5", "euc-kr"}
}

// reading is a piece of text as an encoding has it.
type reading struct{ encoding, text string }

// readings decodes a line in every likely encoding that makes words of it. Those
// that read alike are one.
func readings(line []byte) []reading {
	var found []reading
	for _, name := range likelyEncodings() {
		e, _ := codePage(name)
		text := decodeLossy(e, line)
		same := slices.IndexFunc(found, func(r reading) bool { return r.text == text })
		switch {
		case !readsAsWords(text):
		case same < 0:
			found = append(found, reading{name, text})
		case strings.Count(found[same].encoding, ",") < 2:
			found[same].encoding += ", " + name
		}
	}
	// Fewer marks and kinds of letters are likelier.
	slices.SortStableFunc(found, func(a, b reading) int { return cmp.Compare(oddity(a.text), oddity(b.text)) })
	return found
}

// readsAsWords reports whether a line holds no symbols within words and no word
// in two scripts.
func readsAsWords(line string) bool {
	for w := range strings.FieldsFuncSeq(line, isWordEnd) {
		script := ""
		for i, r := range w {
			if r < utf8.RuneSelf && !unicode.IsLetter(r) {
				continue
			}
			if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Co, r) {
				return false
			}
			s := scriptOf(r)
			if s == "" && !isPunctuation(r) && i > 0 || s == "" && unicode.IsSymbol(r) {
				return false
			}
			if s != "" && script != "" && s != script {
				return false
			}
			script = cmp.Or(s, script)
		}
	}
	return true
}

func isWordEnd(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;\"'()\t", r) }

func isPunctuation(r rune) bool {
	return strings.ContainsRune("‘’“”„‚–—…«»‹›·、。・「」（）", r)
}

// scriptOf names the script of a letter; "" for what is none.
func scriptOf(r rune) string {
	switch {
	case unicode.Is(unicode.Latin, r):
		return "latin"
	case unicode.Is(unicode.Cyrillic, r):
		return "cyrillic"
	case unicode.Is(unicode.Greek, r):
		return "greek"
	case unicode.Is(unicode.Arabic, r):
		return "arabic"
	case unicode.Is(unicode.Hangul, r):
		return "hangul"
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana), r == 'ー':
		return "cjk"
	case unicode.IsLetter(r), unicode.IsMark(r):
		return "other"
	}
	return ""
}

// oddity counts what words seldom have: capitals after small letters, and rare
// characters of East Asia.
func oddity(text string) (n int) {
	previous := ' '
	for _, r := range text {
		switch {
		case unicode.IsUpper(r) && unicode.IsLower(previous):
			n += 2
		case unicode.Is(unicode.Han, r) && (r > 0x9fa5 || r < 0x4e00):
			n += 3
		case r >= 0xff61 && r <= 0xff9f: // half-width kana
			n += 3
		}
		previous = r
	}
	return n
}

// encodingQuestion asks which encoding a file has, showing a line of it in each
// that is likely.
func encodingQuestion(number int, line []byte) error {
	const most, shown = 6, 70
	var b strings.Builder
	all := readings(line)
	if len(all) == 0 {
		e, _ := codePage("windows-1252")
		all = []reading{{"windows-1252", decodeLossy(e, line)}}
	}
	for _, r := range all[:min(len(all), most)] {
		text := []rune(Trim(r.text))
		if len(text) > shown {
			text = append(text[:shown-3], []rune("...")...)
		}
		fmt.Fprintf(&b, "\n  %s: %s", r.encoding, strings.ReplaceAll(string(text), "\t", " "))
	}
	first, _, _ := strings.Cut(all[0].encoding, ",")
	return invalidError("the encoding is not known: the file is not UTF-8 and does not say what it is. This is how line %d would read:%s\nName the right one with --encoding, such as --encoding %s, or save the file as CSV UTF-8",
		number, b.String(), first)
}
