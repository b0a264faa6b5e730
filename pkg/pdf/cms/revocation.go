package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// RevokedError says that a certificate was revoked.
type RevokedError struct {
	Name string
	At   time.Time
}

func (e *RevokedError) Error() string {
	return fmt.Sprintf("the certificate of %q was revoked on %s", e.Name, e.At.UTC().Format(time.DateOnly))
}

// oidNonce is id-pkix-ocsp-nonce (RFC 9654).
var oidNonce = []byte{tagOID, 9, 0x2B, 6, 1, 5, 5, 7, 0x30, 1, 2}

// OCSPRequest asks for the status of a certificate (RFC 6960, 4.1).
func OCSPRequest(cert, issuer *x509.Certificate, nonce []byte) ([]byte, error) {
	plain, err := ocsp.CreateRequest(cert, issuer, nil)
	if err != nil {
		return nil, err
	}
	in := cryptobyte.String(plain)
	var request, tbs cryptobyte.String
	if !in.ReadASN1(&request, tags.SEQUENCE) || !request.ReadASN1(&tbs, tags.SEQUENCE) {
		return nil, errors.New("the request cannot be made")
	}
	extension := seq(tagSequence, oidNonce, seq(tagOctetString, seq(tagOctetString, nonce)))
	const tagContext2 = 0xA2
	return seq(tagSequence, seq(tagSequence, tbs, seq(tagContext2, seq(tagSequence, extension)))), nil
}

var errOCSP = errors.New("the answer cannot be read")

// CheckOCSP judges an answer to an OCSPRequest: that it is about the certificate, that its
// signature is the issuer's or that of a responder whom the issuer authorised, that it is
// current, and that it is the answer to this request, where the responder repeats nonces. A
// certificate that was revoked is a RevokedError.
func CheckOCSP(answer []byte, cert, issuer *x509.Certificate, nonce []byte, now time.Time) (*ocsp.Response, error) {
	a, err := ocsp.ParseResponseForCert(answer, cert, nil)
	if refused, ok := errors.AsType[ocsp.ResponseError](err); ok {
		return nil, fmt.Errorf("the responder refused: %s", refused.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("%w, or is about another certificate", errOCSP)
	}
	came, err := readOCSP(a, cert, issuer)
	switch {
	case err != nil:
		return nil, err
	case came != nil && !bytes.Equal(came, nonce):
		return nil, errors.New("the answer is one to another request: its nonce is another")
	case !Answers(a, cert, issuer):
		return nil, fmt.Errorf("the answer is not signed by %q, nor by a responder whom that authorised", issuer.Subject.CommonName)
	case a.Certificate != nil && (now.Before(a.Certificate.NotBefore) || now.After(a.Certificate.NotAfter)):
		return nil, errors.New("the responder's certificate is not valid now")
	}
	if err := checkCurrent(a.ThisUpdate, a.NextUpdate, now); err != nil {
		return nil, err
	}
	switch a.Status {
	case ocsp.Good:
		return a, nil
	case ocsp.Revoked:
		return nil, &RevokedError{cert.Subject.CommonName, a.RevokedAt}
	}
	return nil, fmt.Errorf("the responder does not know the certificate of %q", cert.Subject.CommonName)
}

// checkCurrent judges the times of an answer or a list. Where nothing says when the next one
// comes, it must have been made now.
func checkCurrent(from, to, now time.Time) error {
	switch {
	case from.After(now.Add(maxClockSkew)):
		return fmt.Errorf("it is of a time that has not come yet: %s", from.UTC().Format(time.RFC3339))
	case to.IsZero() && from.Before(now.Add(-maxClockSkew)), !to.IsZero() && to.Before(now):
		return fmt.Errorf("it has ended: it is of %s", from.UTC().Format(time.RFC3339))
	}
	return nil
}

// readOCSP reads what the library does not: the nonce, nil where there is none. It refuses an
// answer about a certificate of another issuer.
func readOCSP(a *ocsp.Response, cert, issuer *x509.Certificate) (nonce []byte, err error) {
	var key cryptobyte.String
	spki := cryptobyte.String(issuer.RawSubjectPublicKeyInfo)
	var info cryptobyte.String
	var bits asn1.BitString
	if !spki.ReadASN1(&info, tags.SEQUENCE) || !info.SkipASN1(tags.SEQUENCE) || !info.ReadASN1BitString(&bits) {
		return nil, errOCSP
	}
	key = bits.RightAlign()
	in := cryptobyte.String(a.TBSResponseData)
	var data, responses, extensions cryptobyte.String
	var present bool
	if !in.ReadASN1(&data, tags.SEQUENCE) || !data.SkipOptionalASN1(tagContext0) {
		return nil, errOCSP
	}
	var id cryptobyte.String
	var tag tags.Tag
	if !data.ReadAnyASN1(&id, &tag) || !data.SkipASN1(tags.GeneralizedTime) || !data.ReadASN1(&responses, tags.SEQUENCE) ||
		!data.ReadOptionalASN1(&extensions, &present, tagContext1) {
		return nil, errOCSP
	}
	serial := serialNumber(cert)
	about := false
	for !about && !responses.Empty() {
		var one, certID, names, keys, number cryptobyte.String
		if !responses.ReadASN1(&one, tags.SEQUENCE) || !one.ReadASN1(&certID, tags.SEQUENCE) || !certID.SkipASN1(tags.SEQUENCE) ||
			!certID.ReadASN1(&names, tags.OCTET_STRING) || !certID.ReadASN1(&keys, tags.OCTET_STRING) || !certID.ReadASN1Element(&number, tags.INTEGER) {
			return nil, errOCSP
		}
		if !bytes.Equal(number, serial) {
			continue
		}
		about = bytes.Equal(names, digestOf(a.IssuerHash, issuer.RawSubject)) && bytes.Equal(keys, digestOf(a.IssuerHash, key))
		break // the library takes the first of a serial number
	}
	if !about {
		return nil, errors.New("the answer is about a certificate of another issuer")
	}
	return findNonce(extensions)
}

// digestOf hashes b.
func digestOf(h crypto.Hash, b []byte) []byte {
	sum := h.New()
	sum.Write(b)
	return sum.Sum(nil)
}

// findNonce returns the nonce among the extensions of an answer; nil where there is none.
func findNonce(extensions cryptobyte.String) ([]byte, error) {
	var all cryptobyte.String
	if extensions.Empty() {
		return nil, nil
	}
	if !extensions.ReadASN1(&all, tags.SEQUENCE) {
		return nil, errOCSP
	}
	for !all.Empty() {
		var one, kind, value, nonce cryptobyte.String
		if !all.ReadASN1(&one, tags.SEQUENCE) || !one.ReadASN1Element(&kind, tags.OBJECT_IDENTIFIER) ||
			!one.SkipOptionalASN1(tags.BOOLEAN) || !one.ReadASN1(&value, tags.OCTET_STRING) {
			return nil, errOCSP
		}
		if !bytes.Equal(kind, oidNonce) {
			continue
		}
		if !value.ReadASN1(&nonce, tags.OCTET_STRING) {
			return nil, errOCSP
		}
		return nonce, nil
	}
	return nil, nil
}

// Answers reports whether an answer is about a certificate, by its issuer or by one that the
// issuer gave the right to.
func Answers(a *ocsp.Response, cert, issuer *x509.Certificate) bool {
	if a.SerialNumber == nil || a.SerialNumber.Cmp(cert.SerialNumber) != 0 {
		return false
	}
	if a.Certificate == nil || a.Certificate.Equal(issuer) {
		return a.CheckSignatureFrom(issuer) == nil
	}
	return slices.Contains(a.Certificate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) && a.Certificate.CheckSignatureFrom(issuer) == nil &&
		a.CheckSignatureFrom(a.Certificate) == nil
}

// Object identifiers of the critical extensions of revocation lists.
var (
	oidDeltaCRL            = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingDistribution = asn1.ObjectIdentifier{2, 5, 29, 28}
)

// CheckCRL judges a revocation list: that the certificate's issuer signed it, that it is
// current and whole, and that the certificate is not on it. A certificate that is on it is a
// RevokedError.
func CheckCRL(der []byte, cert, issuer *x509.Certificate, now time.Time) (*x509.RevocationList, error) {
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, errors.New("the revocation list cannot be read")
	}
	if !bytes.Equal(l.RawIssuer, issuer.RawSubject) || l.CheckSignatureFrom(issuer) != nil {
		return nil, fmt.Errorf("the revocation list is not signed by %q", issuer.Subject.CommonName)
	}
	if err := checkCurrent(l.ThisUpdate, l.NextUpdate, now); err != nil {
		return nil, fmt.Errorf("the revocation list: %w", err)
	}
	for _, e := range l.Extensions {
		switch {
		case e.Id.Equal(oidDeltaCRL):
			return nil, errors.New("the revocation list has changes alone")
		case e.Id.Equal(oidIssuingDistribution):
			if err := checkScope(e.Value, cert); err != nil {
				return nil, err
			}
		case e.Critical:
			return nil, fmt.Errorf("the revocation list has a critical extension %s, which is not known", e.Id)
		}
	}
	for _, e := range l.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(cert.SerialNumber) == 0 {
			return nil, &RevokedError{cert.Subject.CommonName, e.RevocationTime}
		}
	}
	return l, nil
}

// checkScope reads which certificates a revocation list is about (RFC 5280, 5.2.5).
func checkScope(extension []byte, cert *x509.Certificate) error {
	var scope struct {
		Point      asn1.RawValue  `asn1:"optional,tag:0"`
		Users      bool           `asn1:"optional,tag:1"`
		CAs        bool           `asn1:"optional,tag:2"`
		Reasons    asn1.BitString `asn1:"optional,tag:3"`
		Indirect   bool           `asn1:"optional,tag:4"`
		Attributes bool           `asn1:"optional,tag:5"`
	}
	rest, err := asn1.Unmarshal(extension, &scope)
	switch {
	case err != nil || len(rest) > 0:
		return errors.New("the revocation list cannot be read")
	case scope.Indirect, scope.Attributes, scope.Reasons.BitLength > 0, scope.Users && cert.IsCA, scope.CAs && !cert.IsCA:
		return fmt.Errorf("the revocation list is not about the certificate of %q", cert.Subject.CommonName)
	}
	return nil
}
