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
			return "", "", invalidError("the file begins with the mark of %s, but %s was asked for: leave the encoding out", marked, Quote(want))
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
	e, _ := codePage(name)
	return decodeLossy(e, data), name, nil
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
		if _, known := codePage(name); known != "" {
			return known, nil
		}
	}
	return "", invalidError("--encoding %s is not known: use one of %s", Quote(want), Encodings)
}

// detectEncoding finds the encoding of text without a mark. Valid UTF-8 is UTF-8. Text
// in which most characters beyond ASCII are good UTF-8 is damaged UTF-8. What is
// left is Windows-1252, if it reads like Western European words.
func detectEncoding(data []byte) (string, error) {
	if found := detectUTF16(data); found != "" {
		return found, nil
	}
	if utf8.Valid(data) {
		return "utf-8", nil
	}
	good, bad := 0, 0
	for rest := data; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case r == utf8.RuneError && size == 1:
			bad++
		case size > 1:
			good++
		}
		rest = rest[size:]
	}
	if good >= bad {
		return "utf-8", nil // damaged
	}
	if number, line := findImplausible(data); line != nil {
		return "", encodingQuestion(number, line)
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

// findImplausible finds the first line, and its number, that would hardly read so
// in Windows-1252. Such a line is what Polish, Turkish, Cyrillic or Mac text
// turns into; a certificate must not carry it.
func findImplausible(data []byte) (number int, line []byte) {
	for l := range bytes.Lines(data) {
		number++
		if isASCII(l) {
			continue
		}
		for w := range strings.FieldsFuncSeq(decodeLossy(charmap.Windows1252, l), isWordEnd) {
			if !isWestern(w) {
				return number, bytes.TrimRight(l, "\r\n")
			}
		}
	}
	return 0, nil
}

func isASCII(text []byte) bool {
	for _, b := range text {
		if b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// isWestern judges one word of Western European text. Letters stand in runs of two
// at most beyond ASCII, capitals not after small ones, symbols not among
// letters, and each letter where its language has it. The six letters that
// Icelandic shares places with Turkish ones are not trusted.
func isWestern(word string) bool {
	run := 0
	w := around{letters: []rune(word)}
	for w.i = range w.letters {
		r, previous, next := w.at(0), w.at(-1), w.at(1)
		letter, inside := unicode.IsLetter(r), unicode.IsLetter(previous) && unicode.IsLetter(next)
		switch {
		case letter && strings.ContainsRune("£¿¡", previous) && (previous == '£' || unicode.IsLower(r)):
			return false
		case r < utf8.RuneSelf:
			run = 0
		case strings.ContainsRune("ÐÝÞðýþ", r):
			return false
		case letter:
			run++
			if run > 2 || unicode.IsUpper(r) && (unicode.IsLower(previous) || inside && unicode.IsLower(next)) || !w.inPlace() {
				return false
			}
		case strings.ContainsRune("£¿¡", r) && !unicode.IsLetter(previous), strings.ContainsRune("‘’…§°·", r),
			strings.ContainsRune("–—", r) && !(unicode.IsLower(previous) && unicode.IsLower(next)),
			strings.ContainsRune("“”•«»", r) && !inside, strings.ContainsRune("©®™", r) && !unicode.IsLetter(next):
			run = 0
		case r == utf8.RuneError || unicode.IsControl(r) || strings.ContainsFunc(word, unicode.IsLetter):
			return false
		}
	}
	return true
}

// around is a place in a word.
type around struct {
	letters []rune
	i       int
}

// at is the letter some places on, and a space beyond the word.
func (w around) at(by int) rune {
	if i := w.i + by; i >= 0 && i < len(w.letters) {
		return w.letters[i]
	}
	return ' '
}

// is reports whether the letter some places on is one of those.
func (w around) is(by int, letters string) bool {
	return strings.ContainsRune(letters, unicode.ToLower(w.at(by)))
}

func (w around) isVowel(by int) bool {
	return w.is(by, "aeiouyáàâäãåæéèêëíìîïóòôöõøúùûüýÿœ")
}

// inPlace reports whether a letter stands where a language of Western Europe has
// it. The letters are those whose places in Windows-1252 belong to Polish, Czech,
// Romanian, Hungarian or Baltic letters elsewhere, or on a Mac to German ones:
// Gdańsk in Windows-1250 would read Gdañsk.
func (w around) inPlace() bool {
	first, last := !unicode.IsLetter(w.at(-1)), !unicode.IsLetter(w.at(1))
	switch unicode.ToLower(w.at(0)) {
	case 'œ': // ś: cœur, Œdipe
		return w.is(1, "u") || first && w.is(1, "d")
	case 'ñ': // ń: Nuñez
		return w.isVowel(1)
	case 'ì', 'ù', 'ò': // ě, ů, ň: Forlì, Gesù, Nicolò
		return last && !first
	case 'ã': // ă: João, Guimarães, Irmã
		return last && w.is(-1, "mhs") || w.is(1, "oe")
	case 'õ': // ő: Camões
		return w.is(1, "e")
	case 'æ': // ć: Kjær, Æsop
		return !last && !w.isVowel(-1) && !w.isVowel(1) && (!first || !w.is(1, "w"))
	case 'ø': // ř: Sørensen, Bøe, Høegh
		return !w.isVowel(-1) && (!w.isVowel(1) || first && w.is(1, "y") || w.is(1, "ey") && (!unicode.IsLetter(w.at(2)) || w.is(2, "gh")))
	case 'è': // č: Hélène, Noè, Ève
		return !w.isVowel(1) && (!first || w.is(1, "vlms")) && (!w.isVowel(-1) || w.is(-1, "iou"))
	case 'ê': // ę: Inês, Crêpe, Prêtre
		return w.isCircumflexE()
	case 'û': // ű: Brûlé, Bûche
		return w.is(1, "tlnr") || w.is(1, "c") && w.is(2, "h")
	case 'ï', 'ë', 'ç': // ď, ė, ē: Loïc, Noël, François; Brontë, as no Lithuanian name ends
		return w.isVowel(-1) || w.isVowel(1) || last && w.is(0, "ë") && w.is(-1, "t") && w.is(-2, "n")
	case 'š': // ö on a Mac: Škoda, Tomáš
		return first || last || w.isVowel(-1) || w.isVowel(1)
	}
	return true
}

// isCircumflexE reports whether an ê has the letters after it that French and
// Portuguese have.
func (w around) isCircumflexE() bool {
	switch unicode.ToLower(w.at(1)) {
	case 't':
		return w.isVowel(2) || w.is(2, "rs") || !unicode.IsLetter(w.at(2))
	case 'p':
		return w.is(2, "er")
	case 'm', 'n', 'v', 'l', 'q', 'r':
		return w.isVowel(2) || w.is(2, "r")
	case 'c':
		return w.is(2, "h")
	case 'g':
		return w.is(2, "ue")
	case 's':
		return !unicode.IsLetter(w.at(2))
	}
	return !unicode.IsLetter(w.at(1))
}
