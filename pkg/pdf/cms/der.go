// Package cms makes and checks the signatures of PDF: CMS SignedData (RFC 5652)
// with the attributes that PAdES asks for (ETSI EN 319 142-1, 6.3).
package cms

// seq wraps the parts in a DER element with the given tag.
func seq(tag byte, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := make([]byte, 0, n+6)
	out = appendHeader(out, tag, n)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// appendHeader appends a tag and a length (X.690, 8.1.3).
func appendHeader(b []byte, tag byte, n int) []byte {
	b = append(b, tag)
	switch {
	case n < 0x80:
		return append(b, byte(n))
	case n < 0x100:
		return append(b, 0x81, byte(n))
	case n < 0x10000:
		return append(b, 0x82, byte(n>>8), byte(n))
	}
	return append(b, 0x83, byte(n>>16), byte(n>>8), byte(n))
}

// headerSize is how many bytes appendHeader adds.
func headerSize(n int) int {
	switch {
	case n < 0x80:
		return 2
	case n < 0x100:
		return 3
	case n < 0x10000:
		return 4
	}
	return 5
}

const (
	tagInteger     = 0x02
	tagOctetString = 0x04
	tagOID         = 0x06
	tagSequence    = 0x30
	tagSet         = 0x31
	tagContext0    = 0xA0
	tagContext1    = 0xA1
)

// Object identifiers as complete DER elements.
var (
	oidData          = []byte{tagOID, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1}
	oidSignedData    = []byte{tagOID, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 2}
	oidContentType   = []byte{tagOID, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 3}
	oidMessageDigest = []byte{tagOID, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 4}
	oidSigningCertV2 = []byte{tagOID, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 47}
	oidSigningTime   = []byte{tagOID, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 5}
	oidSigningCert   = []byte{tagOID, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 12}
	oidTSTInfo       = []byte{tagOID, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 4}
	oidTimeStamp     = []byte{tagOID, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 2, 14}

	// The proof of a transparency log, as an unsigned attribute: an OCTET STRING with the text of
	// c2sp.org/tlog-proof. The identifier is 2.25.166206703926371037997706536859546481479, an arc of a UUID (X.667).
	oidLogProof = []byte{tagOID, 20, 0x69, 0x81, 0xFA, 0x8A, 0x9F, 0xCB, 0xD3, 0xC4, 0xDA, 0xB8, 0xBF, 0xA6, 0xDC, 0x97, 0x85, 0xD1, 0xF4, 0xC3, 0xE6, 0x47}

	algSHA256 = []byte{tagSequence, 11, tagOID, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}
	algECDSA  = []byte{tagSequence, 10, tagOID, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2}
	algRSA    = []byte{tagSequence, 13, tagOID, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 11, 5, 0}
)
