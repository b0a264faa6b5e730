package verify

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/acroform"
	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// candidate is a signature that is being judged.
type candidate struct {
	f         *xref.File
	r         io.ReaderAt
	sig       xref.Value
	byteRange byteRange
	result    Signature
}

// verify fills the result. What is wrong with the signature becomes its problem;
// the error is about reading the file.
func (c *candidate) verify() error {
	c.describe()
	err := c.checkSignature()
	if failed, ok := errors.AsType[*readError](err); ok {
		return fmt.Errorf("read the signed bytes: %w", failed.err)
	}
	s := &c.result
	switch {
	case errors.Is(err, cms.ErrAltered):
		s.altered = true
		s.Problem = "The file was altered after this signature: the bytes that it covers are others now."
	case err != nil:
		s.Problem = sentence(err)
	default:
		s.Intact = true
	}
	return nil
}

// readError is about the file, and not what it holds.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// sentence makes a sentence of an error's text.
func sentence(err error) string {
	text := []byte(err.Error())
	if len(text) > 0 && text[0] >= 'a' && text[0] <= 'z' {
		text[0] -= 'a' - 'A'
	}
	return string(append(text, '.'))
}

// describe takes what the dictionary says of itself.
func (c *candidate) describe() {
	s := &c.result
	text := func(key string) string { return object.FromText(c.f.String(c.f.Get(c.sig, key))) }
	s.Certifies = acroform.DocMDPLevel(c.f, c.sig)
	s.SignedAt = object.ParseDate(text("M"))
	s.SignedBy = text("Name")
	s.reference, s.url = text("VECD_Reference"), text("VECD_URL")
}

var (
	errKind    = errors.New("the signature is of a kind that is not known here")
	errWeak    = errors.New("the signature rests on SHA-1, which can be forged and proves nothing any more")
	errTrailer = errors.New("something stands behind the signature in the place that is kept for it")
)

// checkSignature is nil when the bytes that the signature covers are as they were signed.
func (c *candidate) checkSignature() error {
	kind := c.f.Get(c.sig, "SubFilter")
	detached := kind.Is("adbe.pkcs7.detached") || kind.Is("ETSI.CAdES.detached")
	stamp := kind.Is("ETSI.RFC3161")
	if !detached && !stamp && !kind.Is("adbe.pkcs7.sha1") {
		return errKind
	}
	var err error
	if c.byteRange, err = readByteRange(c.f, c.sig); err != nil {
		return err
	}
	c.result.end = c.byteRange.end
	c.result.CoversWholeFile = c.byteRange.end == c.f.Size()
	if stamp {
		return c.checkTimestamp()
	}
	signed, rest, err := cms.Parse(c.byteRange.contents)
	if signed != nil && signed.Certificate != nil {
		c.setSigner(signed.Certificate)
	}
	if err != nil {
		return err
	}
	if !allZero(rest) {
		return errTrailer
	}
	return c.checkCMS(signed, detached)
}

func (c *candidate) checkCMS(signed *cms.Signed, detached bool) error {
	digest, err := c.byteRange.digest(c.r, signed.Hash)
	if err != nil {
		return err
	}
	if !detached {
		if digest, err = c.embeddedDigest(signed); err != nil {
			return err
		}
	}
	if err := signed.Verify(digest); err != nil {
		return err
	}
	if signed.Hash == crypto.SHA1 || !detached {
		return errWeak
	}
	if c.f.Get(c.sig, "SubFilter").Is("ETSI.CAdES.detached") && !signed.NamesCertificate() {
		return errors.New("the signature does not name its certificate, as its kind demands")
	}
	if c.result.url != "" {
		if err := signed.CheckEnvelope(); err != nil {
			return err
		}
	}
	if c.result.SignedAt.IsZero() {
		c.result.SignedAt = signed.SigningTime
	}
	c.checkToken(signed)
	return nil
}

// embeddedDigest is the digest that the older kind demands: of an encapsulated SHA-1
// of the bytes.
func (c *candidate) embeddedDigest(signed *cms.Signed) ([]byte, error) {
	sum, err := c.byteRange.digest(c.r, crypto.SHA1)
	if err != nil {
		return nil, err
	}
	if string(sum) != string(signed.Content) {
		return nil, cms.ErrAltered
	}
	h := signed.Hash.New()
	h.Write(signed.Content)
	return h.Sum(nil), nil
}

// checkToken lets a time stamp in the signature tell the time. One that does not
// hold leaves the signature as good as one without.
func (c *candidate) checkToken(signed *cms.Signed) {
	s := &c.result
	token, err := signed.Token()
	switch {
	case err != nil:
		s.Problem = sentence(fmt.Errorf("the signature's time stamp does not hold: %w", err))
	case token != nil:
		s.Timestamped, s.SignedAt, s.TimestampedBy = true, token.Time, commonName(token.Certificate)
	}
	if cert := signed.Certificate; !s.SignedAt.IsZero() && (s.SignedAt.Before(cert.NotBefore) || s.SignedAt.After(cert.NotAfter)) {
		s.Problem = "The signer's certificate was not valid at the time of signing."
	}
}

// checkTimestamp judges a document time stamp (ISO 32000-2, 12.8.5).
func (c *candidate) checkTimestamp() error {
	token, rest, err := cms.ParseToken(c.byteRange.contents)
	if err != nil {
		return err
	}
	if !allZero(rest) {
		return errTrailer
	}
	digest, err := c.byteRange.digest(c.r, token.Hash())
	if err != nil {
		return err
	}
	if !token.Covers(digest) {
		return cms.ErrAltered
	}
	c.setSigner(token.Certificate)
	s := &c.result
	s.Timestamped, s.SignedAt, s.TimestampedBy = true, token.Time, s.SignedBy
	return nil
}

// setSigner notes whose signature it is.
func (c *candidate) setSigner(cert *x509.Certificate) {
	s := &c.result
	sum := sha256.Sum256(cert.Raw)
	s.SignedBy, s.Fingerprint = commonName(cert), hex.EncodeToString(sum[:])
	s.Issuer = cert.Issuer.CommonName
	if s.Issuer == "" {
		s.Issuer = cert.Issuer.String()
	}
	s.SelfSigned = string(cert.RawIssuer) == string(cert.RawSubject)
}

func commonName(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
