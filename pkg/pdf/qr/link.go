package qr

import (
	"fmt"
	"strings"

	"golang.org/x/net/idna"

	"github.com/vecctl/vecctl/pkg/pdf/reject"
)

// Link is an address as a QR code holds it, in ASCII alone, since scanners
// disagree on how other bytes are to be read: the host in the form that DNS
// knows (RFC 5891), all else percent-encoded (RFC 3986, 2.1). What is ASCII is
// left to the letter. A host that cannot be one is refused.
func Link(address string) (string, error) {
	if isASCII(address) {
		return address, nil
	}
	var b strings.Builder
	rest := address
	if scheme, after, ok := strings.Cut(address, "://"); ok {
		authority := after
		if i := strings.IndexAny(after, "/?#"); i >= 0 {
			authority = after[:i]
		}
		rest = after[len(authority):]
		host, port, _ := strings.Cut(authority, ":")
		if !isASCII(host) {
			var err error
			if host, err = idna.Lookup.ToASCII(host); err != nil {
				return "", reject.Newf(reject.BadMark, "The link's host cannot be one (%v)", err)
			}
		}
		if b.WriteString(scheme + "://" + host); port != "" {
			rest = ":" + port + rest
		}
	}
	for i := range len(rest) {
		if c := rest[i]; c > ' ' && c <= '~' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String(), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
