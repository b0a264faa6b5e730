package cms

import (
	"bytes"
	"crypto/x509"
	"slices"
)

// maxChain is how many certificates a chain may have.
const maxChain = 16

// orderChain puts certificates in the order in which each vouches for the one before, the
// first staying first, and leaves out those that vouch for none. An authority that changed
// its key has several certificates of one name, of which only one fits.
func orderChain(certs []*x509.Certificate) (chain, left []*x509.Certificate) {
	chain, left = certs[:1:1], slices.Clone(certs[1:])
	for c := chain[0]; len(chain) < maxChain && !bytes.Equal(c.RawIssuer, c.RawSubject); {
		i := slices.IndexFunc(left, func(o *x509.Certificate) bool { return bytes.Equal(o.RawSubject, c.RawIssuer) && MadeBy(c, o) })
		if i < 0 {
			break
		}
		c = left[i]
		chain = append(chain, c)
		left = slices.Delete(left, i, i+1)
	}
	return chain, left
}

// curves are elliptic curves that this program cannot compute on, by their object
// identifiers.
var curves = []struct {
	oid  []byte
	name string
}{
	{[]byte{0x2B, 0x24, 3, 3, 2, 8, 1, 1, 7}, "brainpoolP256r1"},
	{[]byte{0x2B, 0x24, 3, 3, 2, 8, 1, 1, 11}, "brainpoolP384r1"},
	{[]byte{0x2B, 0x24, 3, 3, 2, 8, 1, 1, 13}, "brainpoolP512r1"},
	{[]byte{0x2B, 0x24, 3, 3, 2, 8, 1, 1}, "a Brainpool curve"},
	{[]byte{0x2B, 0x81, 4, 0, 10}, "secp256k1"},
}

// unknownCurve is the name of the elliptic curve of a key or certificate in DER that this
// program cannot compute on; empty where there is none.
func unknownCurve(der []byte) string {
	for _, c := range curves {
		if bytes.Contains(der, c.oid) {
			return c.name
		}
	}
	return ""
}
