package cms

import (
	"bytes"
	"crypto/sha256"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

var errNotOurs = errors.New("the signature is not in the form in which an attribute can be added")

// parts are a SignedData of Sign in the pieces that stay as they are when its unsigned
// attributes change.
type parts struct {
	head       []byte   // version, digest algorithms, content and certificates
	signed     []byte   // of the signer, all in front of the unsigned attributes
	signature  []byte   // the signer's
	attributes [][]byte // unsigned
}

func splitSigned(der []byte) (p parts, err error) {
	in := cryptobyte.String(der)
	var all, wrapped, data, infos, info, signature cryptobyte.String
	if !in.ReadASN1(&all, tags.SEQUENCE) || !all.SkipASN1(tags.OBJECT_IDENTIFIER) ||
		!all.ReadASN1(&wrapped, tagContext0) || !wrapped.ReadASN1(&data, tags.SEQUENCE) {
		return p, errNotOurs
	}
	head := data
	if !data.SkipASN1(tags.INTEGER) || !data.SkipASN1(tags.SET) || !data.SkipASN1(tags.SEQUENCE) || !data.SkipASN1(tagContext0) {
		return p, errNotOurs
	}
	p.head = head[:len(head)-len(data)]
	if !data.ReadASN1(&infos, tags.SET) || !data.Empty() || !infos.ReadASN1(&info, tags.SEQUENCE) || !infos.Empty() {
		return p, errNotOurs
	}
	signed := info
	for _, tag := range []tags.Tag{tags.INTEGER, tags.SEQUENCE, tags.SEQUENCE, tagContext0, tags.SEQUENCE} {
		if !info.SkipASN1(tag) {
			return p, errNotOurs
		}
	}
	if !info.ReadASN1(&signature, tags.OCTET_STRING) {
		return p, errNotOurs
	}
	p.signed, p.signature = signed[:len(signed)-len(info)], signature
	var set cryptobyte.String
	var present bool
	if !info.ReadOptionalASN1(&set, &present, tagContext1) || !info.Empty() {
		return p, errNotOurs
	}
	for !set.Empty() {
		var element cryptobyte.String
		if !set.ReadASN1Element(&element, tags.SEQUENCE) {
			return p, errNotOurs
		}
		p.attributes = append(p.attributes, element)
	}
	return p, nil
}

// attributeKind is an attribute's object identifier, as it is encoded.
func attributeKind(element cryptobyte.String) ([]byte, error) {
	var body, kind cryptobyte.String
	if !element.ReadASN1(&body, tags.SEQUENCE) || !body.ReadASN1Element(&kind, tags.OBJECT_IDENTIFIER) {
		return nil, errNotOurs
	}
	return kind, nil
}

// setUnsigned returns a signature of Sign with an unsigned attribute, in place of those of its
// kind.
func setUnsigned(der, oid, attribute []byte) ([]byte, error) {
	p, err := splitSigned(der)
	if err != nil {
		return nil, err
	}
	var attributes [][]byte
	for _, a := range p.attributes {
		kind, err := attributeKind(a)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(kind, oid) {
			attributes = append(attributes, a)
		}
	}
	attributes = append(attributes, attribute)
	signer := seq(tagSequence, p.signed, seq(tagContext1, attributes...))
	return seq(tagSequence, oidSignedData, seq(tagContext0, seq(tagSequence, p.head, seq(tagSet, signer)))), nil
}

// AddTimestamp returns a signature of Sign with a time stamp, in place of any that is there.
// What is signed stays as it is. What follows the signature in der, as padding does, is dropped.
func AddTimestamp(der []byte, stamp TimestampFunc) ([]byte, error) {
	p, err := splitSigned(der)
	if err != nil {
		return nil, err
	}
	token, err := stamp(sha256.Sum256(p.signature))
	if err != nil {
		return nil, err
	}
	return setUnsigned(der, oidTimeStamp, timestampAttribute(token))
}
