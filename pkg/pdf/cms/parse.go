package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// MaxEnvelope is the longest SignedData that is looked at, in bytes.
const MaxEnvelope = 4 << 20

const maxCertificates = 64

// Signed is a SignedData with one signer.
type Signed struct {
	Certificate *x509.Certificate   // the signer's
	Others      []*x509.Certificate // that came with it
	Hash        crypto.Hash         // of the content
	SigningTime time.Time           // a signed attribute; zero where there is none
	Content     []byte              // nil where the content is detached

	raw             []byte // in DER
	isDER           bool   // raw is how it was stored
	version         int
	unreadableCerts int    // certificates that could not be read
	digests         []byte // the algorithms, as stored
	contentType     []byte // object identifier
	info            signerInfo
}

type signerInfo struct {
	version          int
	issuer, serial   []byte // the certificate's, or
	keyID            []byte
	digest, sigAlg   []byte // AlgorithmIdentifiers, as stored
	attrs            []byte // as stored, the tag that of a SET; nil where there are none
	signature        []byte
	messageDigest    []byte // message digest attribute
	contentType      []byte // content type attribute
	signingCert      []byte // the attribute's value, as stored
	signingCertSHA1  bool   // it is of the older kind
	unsigned, tokens [][]byte
	proofs           [][]byte
}

// The ways in which an envelope is not one that can be judged.
var (
	ErrNoCertificate = errors.New("the signer's certificate is not in the signature, or cannot be read")
	ErrAlgorithm     = errors.New("the signature uses an algorithm that is not known here")
)

// Parse reads a SignedData (RFC 5652, 5.1) in DER or BER. What follows it is
// returned as rest.
func Parse(b []byte) (s *Signed, rest []byte, err error) {
	if len(b) > MaxEnvelope {
		return nil, nil, errBER
	}
	raw, rest, err := toDER(b, 0)
	if err != nil {
		return nil, nil, err
	}
	s = &Signed{raw: raw, isDER: bytes.HasPrefix(b, raw)}
	err = s.parse()
	return s, rest, err
}

func (s *Signed) parse() error {
	in := cryptobyte.String(s.raw)
	var info, wrapped, data, digests, content, certs, infos cryptobyte.String
	var kind asn1.ObjectIdentifier
	var hasCerts bool
	if !in.ReadASN1(&info, tags.SEQUENCE) ||
		!info.ReadASN1ObjectIdentifier(&kind) || !isOID(kind, oidSignedData) ||
		!info.ReadASN1(&wrapped, tagContext0) || !wrapped.ReadASN1(&data, tags.SEQUENCE) ||
		!data.ReadASN1Integer(&s.version) ||
		!data.ReadASN1(&digests, tags.SET) ||
		!data.ReadASN1(&content, tags.SEQUENCE) ||
		!data.ReadOptionalASN1(&certs, &hasCerts, tagContext0) ||
		!data.SkipOptionalASN1(tagContext1) ||
		!data.ReadASN1(&infos, tags.SET) ||
		!info.Empty() || !wrapped.Empty() || !data.Empty() {
		return errBER
	}
	s.digests = digests
	if !s.parseContent(content) || !s.info.parse(&infos) || !infos.Empty() {
		return errBER
	}
	if !s.info.parseAttributes(&s.SigningTime) {
		return errBER
	}
	var ok bool
	if s.Hash, ok = parseHash(s.info.digest); !ok {
		return ErrAlgorithm
	}
	return s.findCertificate(certs)
}

func (s *Signed) parseContent(in cryptobyte.String) bool {
	var kind, wrapped, content cryptobyte.String
	var present bool
	if !in.ReadASN1Element(&kind, tags.OBJECT_IDENTIFIER) || !in.ReadOptionalASN1(&wrapped, &present, tagContext0) || !in.Empty() {
		return false
	}
	s.contentType = kind
	if !present {
		return true
	}
	ok := wrapped.ReadASN1(&content, tags.OCTET_STRING) && wrapped.Empty()
	s.Content = append([]byte{}, content...)
	return ok
}

func (i *signerInfo) parse(in *cryptobyte.String) bool {
	var info, sid, issuer, serial, digest, attrs, alg, sig, unsigned cryptobyte.String
	if !in.ReadASN1(&info, tags.SEQUENCE) || !info.ReadASN1Integer(&i.version) {
		return false
	}
	var byKey, hasAttrs, hasUnsigned bool
	if !info.ReadOptionalASN1(&sid, &byKey, tags.Tag(0).ContextSpecific()) {
		return false
	}
	if byKey {
		i.keyID = sid
	} else if !info.ReadASN1(&sid, tags.SEQUENCE) || !sid.ReadASN1Element(&issuer, tags.SEQUENCE) ||
		!sid.ReadASN1Element(&serial, tags.INTEGER) || !sid.Empty() {
		return false
	}
	i.issuer, i.serial = issuer, serial
	if !info.ReadASN1Element(&digest, tags.SEQUENCE) ||
		!info.ReadOptionalASN1(&attrs, &hasAttrs, tagContext0) ||
		!info.ReadASN1Element(&alg, tags.SEQUENCE) ||
		!info.ReadASN1(&sig, tags.OCTET_STRING) ||
		!info.ReadOptionalASN1(&unsigned, &hasUnsigned, tagContext1) || !info.Empty() {
		return false
	}
	i.digest, i.sigAlg, i.signature = digest, alg, sig
	if hasAttrs {
		i.attrs = seq(tagSet, attrs)
	}
	for hasUnsigned && !unsigned.Empty() {
		var attr, kind, values cryptobyte.String
		if !unsigned.ReadASN1(&attr, tags.SEQUENCE) || !attr.ReadASN1Element(&kind, tags.OBJECT_IDENTIFIER) ||
			!attr.ReadASN1(&values, tags.SET) || !attr.Empty() {
			return false
		}
		i.unsigned = append(i.unsigned, kind)
		switch {
		case bytes.Equal(kind, oidTimeStamp):
			i.tokens = append(i.tokens, values)
		case bytes.Equal(kind, oidLogProof):
			i.proofs = append(i.proofs, values)
		}
	}
	return true
}

func (i *signerInfo) parseAttributes(signingTime *time.Time) bool {
	var set cryptobyte.String
	if in := cryptobyte.String(i.attrs); i.attrs != nil && !in.ReadASN1(&set, tags.SET) {
		return false
	}
	for !set.Empty() {
		var attr, kind, values cryptobyte.String
		if !set.ReadASN1(&attr, tags.SEQUENCE) || !attr.ReadASN1Element(&kind, tags.OBJECT_IDENTIFIER) ||
			!attr.ReadASN1(&values, tags.SET) || !attr.Empty() {
			return false
		}
		ok := true
		var digest cryptobyte.String
		switch string(kind) {
		case string(oidContentType):
			ok = i.contentType == nil
			i.contentType = values
		case string(oidMessageDigest):
			ok = i.messageDigest == nil && values.ReadASN1(&digest, tags.OCTET_STRING) && values.Empty()
			i.messageDigest = digest
		case string(oidSigningCertV2):
			ok = i.signingCert == nil
			i.signingCert = values
		case string(oidSigningCert):
			ok = i.signingCert == nil
			i.signingCert, i.signingCertSHA1 = values, true
		case string(oidSigningTime):
			*signingTime = parseTime(values)
		}
		if !ok {
			return false
		}
	}
	return true
}

func parseTime(in cryptobyte.String) (t time.Time) {
	if in.PeekASN1Tag(tags.UTCTime) {
		in.ReadASN1UTCTime(&t)
	} else {
		in.ReadASN1GeneralizedTime(&t)
	}
	return t
}

// findCertificate picks the certificate that the signer names among those that
// came along.
func (s *Signed) findCertificate(certs cryptobyte.String) error {
	for n := 0; !certs.Empty(); n++ {
		var der cryptobyte.String
		var tag tags.Tag
		if !certs.ReadAnyASN1Element(&der, &tag) || n > maxCertificates {
			return errBER
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			s.unreadableCerts++ // of a kind that is not known here
			continue
		}
		if s.Certificate == nil && s.info.identifies(c) {
			s.Certificate = c
		} else {
			s.Others = append(s.Others, c)
		}
	}
	if s.Certificate == nil {
		return ErrNoCertificate
	}
	return nil
}

func (i *signerInfo) identifies(c *x509.Certificate) bool {
	if i.keyID != nil {
		return len(c.SubjectKeyId) > 0 && bytes.Equal(i.keyID, c.SubjectKeyId)
	}
	var serial big.Int
	in := cryptobyte.String(i.serial)
	return in.ReadASN1Integer(&serial) && serial.Cmp(c.SerialNumber) == 0 && bytes.Equal(i.issuer, c.RawIssuer)
}

func isOID(oid asn1.ObjectIdentifier, element []byte) bool {
	b, err := asn1.Marshal(oid)
	return err == nil && bytes.Equal(b, element)
}
