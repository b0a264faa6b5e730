package sheet

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	utext "golang.org/x/text/encoding/unicode"
)

// decode turns the bytes of a CSV into text and names the encoding. Text that
// is called UTF-8 may still have broken bytes in it; the rows that hold them
// are refused one by one.
func decode(data []byte, want string) (text, name string, err error) {
	marked := bomEncoding(data)
	if want != "" {
		if name, err = encodingNamed(want, data); err != nil {
			return "", "", err
		}
		if marked != "" && marked != name {
			return "", "", invalidError("the file begins with the mark of %s, but --encoding says %s: leave --encoding out", marked, Quote(want))
		}
	} else if name = marked; name == "" {
		if name, err = detectEncoding(data); err != nil {
			return "", "", err
		}
	}
	switch name {
	case "utf-8":
		return string(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))), name, nil
	case "utf-16le":
		return decodeLossy(utext.UTF16(utext.LittleEndian, utext.UseBOM), data), name, nil
	case "utf-16be":
		return decodeLossy(utext.UTF16(utext.BigEndian, utext.UseBOM), data), name, nil
	}
	return decodeLossy(codePage(name), data), name, nil
}

// decodeLossy never fails: what has no meaning becomes U+FFFD, which the rows'
// check finds.
func decodeLossy(e encoding.Encoding, data []byte) string {
	out, err := e.NewDecoder().Bytes(data)
	if err != nil {
		return strings.ToValidUTF8(string(out), "\uFFFD")
	}
	return string(out)
}

// bomEncoding names the encoding by the file's byte order mark.
func bomEncoding(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return "utf-8"
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return "utf-16le"
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "utf-16be"
	}
	return ""
}

// encodingNamed understands what a person calls an encoding.
func encodingNamed(want string, data []byte) (string, error) {
	switch name := strings.NewReplacer("_", "-", " ", "-").Replace(strings.ToLower(Trim(want))); name {
	case "utf-8", "utf8":
		return "utf-8", nil
	case "utf-16", "utf16", "unicode":
		if marked := bomEncoding(data); strings.HasPrefix(marked, "utf-16") {
			return marked, nil
		}
		if found := detectUTF16(data); found != "" {
			return found, nil
		}
		return "utf-16le", nil
	case "utf-16le", "utf-16be":
		return name, nil
	default:
		name = strings.Replace(name, "cp125", "windows-125", 1)
		if codePage(name) != nil {
			return name, nil
		}
	}
	return "", invalidError("--encoding %s is not known: use utf-8, utf-16 or windows-1252", Quote(want))
}

// codePage finds a single-byte encoding by its name, such as windows-1250 or
// iso-8859-2; nil when there is none.
func codePage(name string) encoding.Encoding {
	for _, e := range charmap.All {
		c, ok := e.(*charmap.Charmap)
		if ok && strings.EqualFold(strings.ReplaceAll(c.String(), " ", "-"), name) {
			return c
		}
	}
	return nil
}

// detectEncoding finds the encoding of text without a mark. Valid UTF-8 is UTF-8. Text
// with any character beyond ASCII that is good UTF-8 is damaged UTF-8. What is
// left is Windows-1252, if it reads like Western European words.
func detectEncoding(data []byte) (string, error) {
	if found := detectUTF16(data); found != "" {
		return found, nil
	}
	if utf8.Valid(data) {
		return "utf-8", nil
	}
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r != utf8.RuneError && size > 1 {
			return "utf-8", nil
		}
		rest = rest[size:]
	}
	text := decodeLossy(charmap.Windows1252, data)
	if line, word := findImplausible(text); word != "" {
		return "", invalidError("the encoding cannot be told: as windows-1252, line %d would read %s. Save the file as CSV UTF-8, or name its encoding with --encoding (windows-1252 if that reading is right)",
			line, Quote(word))
	}
	return "windows-1252", nil
}

// detectUTF16 recognises UTF-16 by the zero bytes that the headings, which
// are mostly ASCII, leave in every second place.
func detectUTF16(data []byte) string {
	head := data[:min(len(data), 64)&^1]
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i&1]++
		}
	}
	half := len(head) / 2
	switch {
	case half < 4:
		return ""
	case zeros[1]*2 > half && zeros[0] == 0:
		return "utf-16le"
	case zeros[0]*2 > half && zeros[1] == 0:
		return "utf-16be"
	}
	return ""
}

// findImplausible finds the first word that text decoded as Windows-1252 would hardly
// hold, and its line. Such a word is what Polish, Turkish, Cyrillic or Mac text
// turns into; a certificate must not carry it.
func findImplausible(text string) (line int, word string) {
	line = 1
	for l := range strings.Lines(text) {
		for w := range strings.FieldsFuncSeq(l, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;\"'()", r) }) {
			if !isPlausible(w) {
				return line, w
			}
		}
		line++
	}
	return 0, ""
}

// isPlausible judges one word of Western European text. Letters stand in runs of two
// at most beyond ASCII, capitals not after small ones, symbols not among
// letters. The six letters that Icelandic shares places with Turkish ones are
// not trusted.
func isPlausible(word string) bool {
	run, previous := 0, ' '
	for _, r := range word {
		letter := unicode.IsLetter(r)
		switch {
		case letter && strings.ContainsRune("£¿¡", previous) && (previous == '£' || unicode.IsLower(r)):
			return false
		case r < utf8.RuneSelf:
			run = 0
		case strings.ContainsRune("ÐÝÞðýþ", r):
			return false
		case letter:
			run++
			if run > 2 || unicode.IsUpper(r) && unicode.IsLower(previous) {
				return false
			}
		case strings.ContainsRune("£¿¡", r) && !unicode.IsLetter(previous), strings.ContainsRune("‘’“”–—…•«»€©®™§°·", r):
			run = 0
		case r == utf8.RuneError || unicode.IsControl(r) || strings.ContainsFunc(word, unicode.IsLetter):
			return false
		}
		previous = r
	}
	return true
}
