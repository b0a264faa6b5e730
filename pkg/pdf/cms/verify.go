package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// ErrAltered says that the content is not what was signed.
var ErrAltered = errors.New("the bytes that the signature covers are not those that were signed")

var (
	errSigningCert = errors.New("the signature names another certificate than the one that came with it")
	errContentType = errors.New("the signature's attributes contradict each other")
	errEnvelope    = errors.New("the signature's envelope was altered")
)

// Verify checks the signature over content with the given digest, which is that
// of s.Hash.
func (s *Signed) Verify(digest []byte) error {
	i := &s.info
	if i.attrs == nil {
		oid, params, ok := parseAlgorithm(i.sigAlg)
		if !ok {
			return ErrAlgorithm
		}
		return verifyDigest(s.Certificate.PublicKey, oid, params, s.Hash, nil, digest, i.signature)
	}
	if i.signingCert != nil && !i.matchesSigningCert(s.Certificate) {
		return errSigningCert
	}
	// That something was altered can be said of what was signed only.
	if err := verifySignature(s.Certificate.PublicKey, i.sigAlg, s.Hash, i.attrs, i.signature); err != nil {
		return err
	}
	switch {
	case !bytes.Equal(i.messageDigest, digest):
		return ErrAltered
	case !bytes.Equal(i.contentType, s.contentType):
		return errContentType
	}
	return nil
}

// NamesCertificate reports whether the signed attributes name the signer's
// certificate, as PAdES demands.
func (s *Signed) NamesCertificate() bool { return s.info.signingCert != nil }

// matchesSigningCert compares the signing certificate attribute (RFC 5035, 3 and 4)
// with the certificate.
func (i *signerInfo) matchesSigningCert(c *x509.Certificate) bool {
	var value, ids, id, alg, hash cryptobyte.String
	in := cryptobyte.String(i.signingCert)
	if !in.ReadASN1(&value, tags.SEQUENCE) || !value.ReadASN1(&ids, tags.SEQUENCE) || !ids.ReadASN1(&id, tags.SEQUENCE) {
		return false
	}
	h := crypto.SHA256
	if i.signingCertSHA1 {
		h = crypto.SHA1
	} else if id.PeekASN1Tag(tags.SEQUENCE) {
		var ok bool
		if !id.ReadASN1Element(&alg, tags.SEQUENCE) {
			return false
		}
		if h, ok = parseHash(alg); !ok {
			return false
		}
	}
	if !id.ReadASN1(&hash, tags.OCTET_STRING) {
		return false
	}
	sum := h.New()
	sum.Write(c.Raw)
	return bytes.Equal(hash, sum.Sum(nil))
}

// CheckEnvelope reports whether the parts of the envelope that no signature covers are
// as RFC 5652 wants them: what a signer of our own never writes otherwise. Of
// other people's signers it is not asked.
func (s *Signed) CheckEnvelope(made *Issuances) error {
	i := &s.info
	known := slices.ContainsFunc([][]byte{algECDSA, algRSA}, func(a []byte) bool { return bytes.Equal(a, i.sigAlg) })
	if !s.isCanonical(1, made) || i.version != 1 || !known || !bytes.Equal(i.digest, algSHA256) ||
		len(i.unsigned) != len(i.tokens)+len(i.proofs) || len(i.tokens) > 1 || len(i.proofs) > 1 {
		return errEnvelope
	}
	if _, err := s.LogProof(); err != nil {
		return errEnvelope
	}
	token, err := s.Token()
	if err != nil || token != nil && !token.isCanonical(made) {
		return errEnvelope
	}
	return nil
}

// isCanonical checks what both a signature and a time stamp keep to.
func (s *Signed) isCanonical(version int, made *Issuances) bool {
	if !s.isDER || s.version != version || !bytes.Equal(s.digests, s.info.digest) || !signedByIssuer(s.Certificate, s.Others, made) {
		return false
	}
	for _, c := range s.Others {
		if !signedByIssuer(c, s.Others, made) {
			return false
		}
	}
	return s.unreadableCerts == 0
}

// isCanonical reports whether the token is one that can be embedded: one of which every
// later change would show.
func (t *Token) isCanonical(made *Issuances) bool {
	i := &t.signed.info
	_, params, ok := parseAlgorithm(i.sigAlg)
	return t.signed.isCanonical(3, made) && len(i.unsigned) == 0 && i.version == 1 && ok && (len(params) == 0 || params[0] == tagSequence)
}

// signedByIssuer checks a certificate's own signature as far as its issuer is at hand. An
// authority that changed its key has several certificates of one name.
func signedByIssuer(c *x509.Certificate, others []*x509.Certificate, made *Issuances) bool {
	if bytes.Equal(c.RawIssuer, c.RawSubject) {
		return made.MadeBy(c, c)
	}
	claimed := false
	for _, o := range others {
		if !bytes.Equal(o.RawSubject, c.RawIssuer) {
			continue
		}
		if made.MadeBy(c, o) {
			return true
		}
		claimed = claimed || MayBeIssuer(c, o)
	}
	return !claimed
}

// MadeBy reports whether a certificate's signature is that of an issuer. Where the algorithm
// is too old to tell, as that of roots of old is, it is taken for one.
func MadeBy(c, issuer *x509.Certificate) bool {
	err := issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	_, weak := errors.AsType[x509.InsecureAlgorithmError](err)
	return err == nil || weak || errors.Is(err, x509.ErrUnsupportedAlgorithm)
}

// MayBeIssuer reports whether what a certificate says of its issuer's key agrees with what
// another certificate of that name says of its own.
func MayBeIssuer(c, issuer *x509.Certificate) bool {
	return len(c.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId)
}
