package authority

import (
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Bounds of names. A domain's is RFC 1035's, section 2.3.4, without the last dot.
const (
	maxDomain = 253
	maxAppID  = 64
	maxSlug   = 64
)

// ParseDomain brings a domain or an App ID into the one form in which it is kept
// and hashed: lower case, ASCII (RFC 5891), without a dot at its end. A name
// without dots is an App ID. Ports, paths, addresses and wildcards are no domains.
func ParseDomain(text string) (string, error) {
	name := strings.TrimSuffix(text, ".")
	bad := NewContractError(InvalidDomain, "Domain is not a valid domain name or App ID; give the name alone, such as mystore.com")
	if name == "" || len(name) > 4*maxDomain || !utf8.ValidString(name) || strings.HasSuffix(name, ".") {
		return "", bad
	}
	if !strings.Contains(name, ".") && isPlain(name) {
		name = strings.ToLower(name)
		if !isName(name, maxAppID) || name == "localhost" {
			return "", bad
		}
		return name, nil
	}
	name, err := idna.Lookup.ToASCII(name)
	if err != nil || len(name) > maxDomain || !strings.Contains(name, ".") {
		return "", bad
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return "", bad
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if len(label) > 63 || !isHostLabel(label) {
			return "", bad
		}
	}
	// No top-level domain is a number (RFC 3696, section 2): what ends in one is an
	// address in some spelling.
	if top := labels[len(labels)-1]; strings.Trim(top, "0123456789") == "" {
		return "", bad
	}
	return name, nil
}

// IsAppID reports whether a parsed name is an App ID, which no record on the network
// can prove.
func IsAppID(name string) bool { return !strings.Contains(name, ".") }

// Covers reports whether a badge of one domain may stand on another: on its own, and
// there with www in front.
func Covers(own, other string) bool {
	other, err := ParseDomain(other)
	return err == nil && strings.TrimPrefix(other, "www.") == strings.TrimPrefix(own, "www.")
}

// ValidSlug reports whether a text can name a store.
func ValidSlug(s string) bool { return isName(s, maxSlug) }

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// isName reports whether a text is of lower-case letters, digits, hyphens and
// underscores, and begins and ends with a letter or a digit.
func isName(s string, most int) bool {
	return s != "" && len(s) <= most && onlyNameBytes(s) && !strings.ContainsAny(s[:1]+s[len(s)-1:], "-_")
}

func onlyNameBytes(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return true
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

func isHostLabel(s string) bool {
	return s != "" && s[0] != '-' && s[len(s)-1] != '-' && onlyNameBytes(s) && !strings.Contains(s, "_")
}
