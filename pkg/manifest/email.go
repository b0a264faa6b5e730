package manifest

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vecctl/vecctl/pkg/manifest/sheet"
)

const emailExample = "an e-mail address such as name@example.org"

// cleanEmail takes off an address what mail programs put around it. How says what it
// was; "" where nothing was there.
func cleanEmail(text string) (address, how string) {
	address = text
	if rest, ok := cutFold(address, "mailto:"); ok {
		address, how = rest, `with "mailto:"`
		address, _, _ = strings.Cut(address, "?")
	}
	if open := strings.LastIndexByte(address, '<'); open >= 0 && strings.HasSuffix(address, ">") {
		address, how = address[open+1:len(address)-1], "with a name or in angle brackets"
	}
	if bare, quoted := unquote(address); quoted {
		address, how = bare, "in quotes"
	}
	address = sheet.Trim(address)
	if how == "" || !plausibleEmail(address) {
		return text, ""
	}
	return address, how
}

// cutFold is strings.CutPrefix for a prefix in any case.
func cutFold(s, prefix string) (rest string, ok bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// unquote takes the quotes off that stand around a whole text.
func unquote(text string) (bare string, quoted bool) {
	if text == "" || text[0] >= '0' && text[0] <= 'z' {
		return text, false
	}
	for _, pair := range []string{`""`, "''", "“”", "„“", "„”", "«»", "‘’", "»«", "「」"} {
		marks := []rune(pair)
		rest, ok := strings.CutPrefix(text, string(marks[0]))
		inner, ok2 := strings.CutSuffix(rest, string(marks[1]))
		if ok && ok2 && sheet.Trim(inner) != "" && !strings.ContainsAny(inner, pair) {
			return sheet.Trim(inner), true
		}
	}
	return text, false
}

// emailFault says what is wrong with an address, after the address itself; "" where
// nothing is.
func emailFault(s string) string {
	if plausibleEmail(s) {
		return ""
	}
	local, domain, _ := strings.Cut(s, "@")
	switch {
	case severalAddresses(s):
		return "which is more than one address"
	case !strings.Contains(s, "@"):
		for _, at := range []string{"(at)", "[at]", "{at}", "<at>", " at "} {
			if strings.Contains(strings.ToLower(s), at) {
				return fmt.Sprintf("in which %q stands for the @", strings.TrimSpace(at))
			}
		}
		return "which has no @"
	case strings.Count(s, "@") > 1:
		return fmt.Sprintf("which has %d @", strings.Count(s, "@"))
	case local == "":
		return "which has nothing before the @"
	case domain == "":
		return "which has nothing after the @"
	}
	if what := oddCharacter(s); what != "" {
		return what
	}
	switch {
	case strings.HasPrefix(local, "."), strings.HasSuffix(local, "."):
		return "which has a dot at the beginning or end of the part before the @"
	case strings.Contains(s, ".."):
		return "which has two dots in a row"
	case strings.HasSuffix(domain, "."):
		return "which has a dot at its end"
	case strings.HasPrefix(domain, "."):
		return "which has a dot right after the @"
	case len(local) > 64:
		return fmt.Sprintf("which has %d bytes before the @, of at most 64", len(local))
	case !strings.Contains(domain, "."):
		return "which has no dot after the @, such as in example.org"
	case !plausibleDomain(domain):
		return fmt.Sprintf("in which %q is not a domain", domain)
	}
	return ""
}

// severalAddresses reports whether a text holds more than one address.
func severalAddresses(s string) bool {
	n := 0
	for one := range strings.FieldsFuncSeq(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(",;|", r) }) {
		if plausibleEmail(one) {
			n++
		}
	}
	return n > 1
}

// oddCharacter names the first character that no address has.
func oddCharacter(s string) string {
	domain := false
	for _, r := range s {
		where := "before"
		if domain {
			where = "after"
		}
		switch {
		case r == '@':
			domain = true
		case unicode.IsSpace(r):
			return "which has a space in it"
		case r == ',':
			return "which has a comma in it, perhaps for a dot"
		case isLetter(r), domain && (r == '-' || r == '.'), !domain && strings.ContainsRune(localMarks, r):
		case unicode.In(r, unicode.Cf, unicode.Cc):
			return fmt.Sprintf("which has the invisible character U+%04X in it", r)
		default:
			return fmt.Sprintf("which has %s %s the @", sheet.Quote(string(r)), where)
		}
	}
	return ""
}

// localMarks may stand before the @ besides letters and digits.
const localMarks = "!#$%&'*+-/=?^_`{|}~."

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
		if !isLetter(r) && !strings.ContainsRune(localMarks, r) {
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

// misspeltDomain is the domain that a domain in small letters was probably meant to be; "" where
// it is plausible as it is.
func misspeltDomain(domain string) string {
	if isMailDomain(domain) {
		return ""
	}
	stem, ending, _ := cutLast(domain, ".")
	for wrong, right := range map[string]string{"con": "com", "cmo": "com", "ocm": "com", "comm": "com", "vom": "com", "xom": "com", "cpm": "com", "coom": "com",
		"nte": "net", "ner": "net", "ogr": "org", "orgg": "org", "edi": "edu"} {
		if ending == wrong {
			return stem + "." + right
		}
	}
	best := ""
	for _, known := range mailDomains() {
		name, _, _ := strings.Cut(known, ".")
		if len(name) < 5 || strings.Count(known, ".") != strings.Count(domain, ".") {
			continue // near to others that exist
		}
		if d := editDistance(domain, known, 1); d == 1 && best == "" {
			best = known
		}
	}
	return best
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// mailDomains are those that most private addresses have.
func mailDomains() []string {
	return []string{"gmail.com", "googlemail.com", "hotmail.com", "hotmail.de", "hotmail.fr", "hotmail.it", "hotmail.es", "hotmail.co.uk", "outlook.com", "outlook.de", "outlook.fr", "outlook.es",
		"yahoo.com", "yahoo.de", "yahoo.fr", "yahoo.es", "yahoo.it", "yahoo.in", "yahoo.co.uk", "yahoo.co.in", "yahoo.com.br", "icloud.com", "proton.me", "protonmail.com", "libero.it", "orange.fr",
		"wanadoo.fr", "t-online.de", "freenet.de", "interia.pl", "onet.pl", "yandex.ru", "yandex.com", "mail.ru", "naver.com", "ziggo.nl", "live.com", "live.de", "live.fr", "gmx.de", "gmx.net",
		"gmx.com", "web.de", "aol.com", "msn.com", "mail.com", "ymail.com", "email.com", "rocketmail.com", "rediffmail.com", "163.com", "126.com", "qq.com", "o2.pl", "wp.pl"}
}

func isMailDomain(domain string) bool { return slices.Contains(mailDomains(), domain) }
