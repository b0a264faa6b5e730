package api

import "strings"

// attachmentDisposition is a Content-Disposition that carries a name in any script: once in
// ASCII for old clients and once as it is (RFC 6266, section 4.3, and RFC 8187).
func attachmentDisposition(name string) string {
	var plain, extended strings.Builder
	const kept = "!#$&+-.^_`|~"
	for _, r := range name {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%/`, r) {
			r = '_'
		}
		plain.WriteRune(r)
	}
	for i := range len(name) {
		b := name[i]
		if b >= '0' && b <= '9' || b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z' || strings.IndexByte(kept, b) >= 0 {
			extended.WriteByte(b)
			continue
		}
		const digits = "0123456789ABCDEF"
		extended.Write([]byte{'%', digits[b>>4], digits[b&15]})
	}
	value := `attachment; filename="` + plain.String() + `"`
	if plain.String() != name {
		value += "; filename*=UTF-8''" + extended.String()
	}
	return value
}
