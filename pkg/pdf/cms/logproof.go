package cms

import (
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

var errLogProof = errors.New("the log proof in the signature cannot be read")

// LogProof is the text of the log proof among the unsigned attributes (c2sp.org/tlog-proof);
// nil where there is none.
func (s *Signed) LogProof() ([]byte, error) {
	if len(s.info.proofs) == 0 {
		return nil, nil
	}
	in := cryptobyte.String(s.info.proofs[0])
	var text cryptobyte.String
	if len(s.info.proofs) > 1 || !in.ReadASN1(&text, tags.OCTET_STRING) || !in.Empty() {
		return nil, errLogProof
	}
	return text, nil
}

// SetLogProof returns a signature of Sign with a log proof among its unsigned attributes, in
// place of any that is there. What is signed stays as it is.
func SetLogProof(der, proof []byte) ([]byte, error) {
	return setUnsigned(der, oidLogProof, seq(tagSequence, oidLogProof, seq(tagSet, seq(tagOctetString, proof))))
}
