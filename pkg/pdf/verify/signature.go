package verify

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/object"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// candidate is a signature that is being judged.
type candidate struct {
	f          *xref.File // the document as it was signed, once that is known
	r          io.ReaderAt
	options    Options
	sig, field xref.Value
	byteRange  byteRange
	permission permission
	ranged     bool // byteRange is known
	result     Signature
	whole      []byte // the file's SHA-256, where it was found on the way

	certificate *x509.Certificate   // the signer's
	others      []*x509.Certificate // that came with it
	token       *cms.Token          // the time stamp in the signature, or that the signature is
}

// problem says what is wrong with a signature.
type problem struct {
	reason Reason
	text   string // a clause
}

func (p *problem) Error() string { return p.text }

var (
	errKind      = &problem{UnknownKind, "the signature is of a kind that is not known here"}
	errWeak      = &problem{Weak, "the signature rests on SHA-1, which can be forged and proves nothing any more"}
	errTrailer   = &problem{BadSignature, "something stands behind the signature in the place that is kept for it"}
	errNoName    = &problem{BadSignature, "the signature does not name its certificate, as its kind demands"}
	errDuplicate = &problem{BadSignature, "the signature says something twice, and readers do not agree on what counts"}
	errOutside   = &problem{BadSignature, "the signature does not stand in the form of what it covers"}
	errTwice     = &problem{BadSignature, "two fields claim the same signature"}
)

// fail notes what is wrong. The first problem counts.
func (s *Signature) fail(reason Reason, text string) {
	if s.Problem == "" {
		s.Reason, s.Problem = reason, sentence(text)
	}
}

// failWith notes an error as what is wrong.
func (s *Signature) failWith(err error) {
	reason := BadSignature
	p, ok := errors.AsType[*problem](err)
	switch {
	case ok:
		reason = p.reason
	case errors.Is(err, cms.ErrAltered):
		s.fail(Altered, "the file was altered after this signature: the bytes that it covers are others now")
		return
	case errors.Is(err, cms.ErrAlgorithm):
		reason = UnknownKind
	case errors.Is(err, cms.ErrNoCertificate):
		reason = NoCertificate
	}
	s.fail(reason, err.Error())
}

// readError is about the file, and not what it holds.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// sentence makes a sentence of a clause.
func sentence(clause string) string {
	text := []byte(clause)
	if len(text) > 0 && text[0] >= 'a' && text[0] <= 'z' {
		text[0] -= 'a' - 'A'
	}
	return string(append(text, '.'))
}

// locate reads what the signature covers.
func (c *candidate) locate() {
	if !isKnownKind(c.f.Get(c.sig, "SubFilter")) {
		c.result.failWith(errKind)
		return
	}
	var err error
	if c.byteRange, err = readByteRange(c.f, c.sig); err != nil {
		c.result.failWith(err)
		return
	}
	c.ranged = true
	c.result.end = c.byteRange.end
	c.result.CoversWholeFile = c.byteRange.end == c.f.Size()
}

func isKnownKind(v xref.Value) bool {
	return v.Is("adbe.pkcs7.detached") || v.Is("ETSI.CAdES.detached") || v.Is("adbe.pkcs7.sha1") || v.Is("ETSI.RFC3161")
}

// verify checks the signature over the bytes that it covers. What is wrong becomes its
// problem; the error is about reading the file.
func (c *candidate) verify() error {
	c.describe()
	if !c.ranged || c.result.Problem != "" {
		return nil
	}
	err := c.checkSignature()
	if failed, ok := errors.AsType[*readError](err); ok {
		return fmt.Errorf("read the signed bytes: %w", failed.err)
	}
	if err != nil {
		c.result.failWith(err)
		return nil
	}
	c.result.Intact = true
	return nil
}

// describe takes what the dictionary says of itself.
func (c *candidate) describe() {
	s := &c.result
	text := func(key string) string { return object.FromText(c.f.String(c.f.Get(c.sig, key))) }
	s.SignedAt = object.ParseDate(text("M"))
	s.SignedBy = text("Name")
	s.ReferenceID, s.URL, s.Log.Key = text("VECD_Reference"), text("VECD_URL"), text("VECD_Log")
	s.IsTimestamp = c.f.Get(c.sig, "SubFilter").Is("ETSI.RFC3161")
}

// hasDuplicates reports whether a dictionary has a key twice.
func hasDuplicates(v xref.Value) bool {
	seen := map[string]bool{}
	for k := range v.Pairs() {
		name := k.Text()
		if seen[name] {
			return true
		}
		seen[name] = true
	}
	return false
}

// checkSignature is nil when the bytes that the signature covers are as they were signed.
func (c *candidate) checkSignature() error {
	kind := c.f.Get(c.sig, "SubFilter")
	switch {
	case !isKnownKind(kind):
		return errKind
	case hasDuplicates(c.sig):
		return errDuplicate
	case c.result.IsTimestamp:
		return c.checkTimestamp()
	}
	signed, rest, err := cms.Parse(c.byteRange.contents)
	if signed != nil && signed.Certificate != nil {
		c.setSigner(signed.Certificate, signed.Others)
	}
	if err != nil {
		return err
	}
	if !allZero(rest) {
		return errTrailer
	}
	return c.checkCMS(signed, !kind.Is("adbe.pkcs7.sha1"))
}

func (c *candidate) checkCMS(signed *cms.Signed, detached bool) error {
	digest, err := c.digest(signed.Hash)
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
	isPAdES := c.f.Get(c.sig, "SubFilter").Is("ETSI.CAdES.detached")
	if isPAdES && !signed.NamesCertificate() {
		return errNoName
	}
	if c.result.URL != "" {
		if err := signed.CheckEnvelope(c.options.Issuances); err != nil {
			return err
		}
	}
	if isPAdES {
		c.result.Level = LevelB
	}
	if c.result.SignedAt.IsZero() {
		c.result.SignedAt = signed.SigningTime
	}
	c.checkToken(signed)
	if signed.Hash == crypto.SHA256 {
		c.result.SignedBytes = digest
	}
	return c.checkLogProof(signed, digest)
}

// digest hashes what the signature covers, and with it the file where that is asked for.
func (c *candidate) digest(h crypto.Hash) ([]byte, error) {
	sum, whole, err := c.byteRange.digest(c.r, h, c.options.Digest && c.result.CoversWholeFile)
	c.whole = whole
	return sum, err
}

// embeddedDigest is the digest that the older kind demands: of an encapsulated SHA-1
// of the bytes.
func (c *candidate) embeddedDigest(signed *cms.Signed) ([]byte, error) {
	sum, err := c.digest(crypto.SHA1)
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

// checkToken lets a time stamp in the signature say the time. One that does not
// hold leaves the signature as good as one without.
func (c *candidate) checkToken(signed *cms.Signed) {
	token, err := signed.Token()
	switch {
	case err != nil:
		c.result.Note = sentence(fmt.Sprintf("the signature's time stamp does not hold: %v", err))
	case token != nil && !isTimeStamper(token.Certificate, token.Time):
		c.result.Note = "The signature's time stamp does not hold: its server's certificate was not valid at its time."
	case token != nil:
		s := &c.result
		c.token = token
		s.Timestamped, s.SignedAt, s.TimestampedBy = true, token.Time, commonName(token.Certificate)
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
	digest, err := c.digest(token.Hash())
	if err != nil {
		return err
	}
	if !token.Covers(digest) {
		return cms.ErrAltered
	}
	c.setSigner(token.Certificate, token.Others())
	c.token = token
	s := &c.result
	s.Timestamped, s.SignedAt, s.TimestampedBy = true, token.Time, s.SignedBy
	return nil
}

// setSigner notes whose signature it is.
func (c *candidate) setSigner(cert *x509.Certificate, others []*x509.Certificate) {
	c.certificate, c.others = cert, others
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
