package cms

import (
	"bytes"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	errLogProof = errors.New("the log proof in the signature cannot be read")
	errNotOurs  = errors.New("the signature is not in the form in which an attribute can be added")
)

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
	in := cryptobyte.String(der)
	var all, wrapped, data, infos, info cryptobyte.String
	if !in.ReadASN1(&all, tags.SEQUENCE) || !all.SkipASN1(tags.OBJECT_IDENTIFIER) ||
		!all.ReadASN1(&wrapped, tagContext0) || !wrapped.ReadASN1(&data, tags.SEQUENCE) {
		return nil, errNotOurs
	}
	// Version, digest algorithms, content and certificates stand before the signers.
	head := data
	if !data.SkipASN1(tags.INTEGER) || !data.SkipASN1(tags.SET) || !data.SkipASN1(tags.SEQUENCE) || !data.SkipASN1(tagContext0) {
		return nil, errNotOurs
	}
	head = head[:len(head)-len(data)]
	if !data.ReadASN1(&infos, tags.SET) || !data.Empty() || !infos.ReadASN1(&info, tags.SEQUENCE) || !infos.Empty() {
		return nil, errNotOurs
	}
	// The unsigned attributes are the last part of the signer.
	signed := info
	for _, tag := range []tags.Tag{tags.INTEGER, tags.SEQUENCE, tags.SEQUENCE, tagContext0, tags.SEQUENCE, tags.OCTET_STRING} {
		if !info.SkipASN1(tag) {
			return nil, errNotOurs
		}
	}
	signed = signed[:len(signed)-len(info)]
	attributes, err := withoutLogProof(info)
	if err != nil {
		return nil, err
	}
	attributes = append(attributes, seq(tagSequence, oidLogProof, seq(tagSet, seq(tagOctetString, proof))))
	signer := seq(tagSequence, signed, seq(tagContext1, attributes...))
	return seq(tagSequence, oidSignedData, seq(tagContext0, seq(tagSequence, head, seq(tagSet, signer)))), nil
}

// withoutLogProof lists unsigned attributes but for a log proof.
func withoutLogProof(info cryptobyte.String) ([][]byte, error) {
	var set cryptobyte.String
	var present bool
	if !info.ReadOptionalASN1(&set, &present, tagContext1) || !info.Empty() {
		return nil, errNotOurs
	}
	var kept [][]byte
	for !set.Empty() {
		var element, body, kind cryptobyte.String
		if !set.ReadASN1Element(&element, tags.SEQUENCE) {
			return nil, errNotOurs
		}
		whole := element
		if !element.ReadASN1(&body, tags.SEQUENCE) || !body.ReadASN1Element(&kind, tags.OBJECT_IDENTIFIER) {
			return nil, errNotOurs
		}
		if !bytes.Equal(kind, oidLogProof) {
			kept = append(kept, whole)
		}
	}
	return kept, nil
}
