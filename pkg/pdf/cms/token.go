package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Token is a time stamp token (RFC 3161, 2.4.2) whose own signature holds.
type Token struct {
	Time        time.Time
	Certificate *x509.Certificate // the time stamp server's

	hash    crypto.Hash
	imprint []byte
	nonce   []byte // an INTEGER's content; nil where there is none
	signed  *Signed
}

var (
	errToken   = errors.New("the time stamp cannot be read or was altered")
	errImprint = errors.New("the time stamp is that of something else")
)

// ParseToken reads a token and checks its own signature. Whether its server is
// to be trusted is not judged. What follows it is returned as rest.
func ParseToken(b []byte) (t *Token, rest []byte, err error) {
	s, rest, err := Parse(b)
	if err != nil {
		return nil, nil, err
	}
	if s.Content == nil || !bytes.Equal(s.contentType, oidTSTInfo) {
		return nil, nil, errToken
	}
	h := s.Hash.New()
	h.Write(s.Content)
	if err := s.Verify(h.Sum(nil)); err != nil {
		return nil, nil, err
	}
	if s.info.attrs == nil || !slices.Contains(s.Certificate.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) {
		return nil, nil, errToken
	}
	t = &Token{Certificate: s.Certificate, signed: s}
	if !t.parse(s.Content) {
		return nil, nil, errToken
	}
	return t, rest, nil
}

// parse reads the TSTInfo.
func (t *Token) parse(b []byte) bool {
	var info, imprint, alg, hash, nonce cryptobyte.String
	var version int
	in := cryptobyte.String(b)
	if !in.ReadASN1(&info, tags.SEQUENCE) || !info.ReadASN1Integer(&version) || version != 1 ||
		!info.SkipASN1(tags.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&imprint, tags.SEQUENCE) ||
		!imprint.ReadASN1Element(&alg, tags.SEQUENCE) || !imprint.ReadASN1(&hash, tags.OCTET_STRING) ||
		!info.SkipASN1(tags.INTEGER) {
		return false
	}
	var at cryptobyte.String
	if !info.ReadASN1(&at, tags.GeneralizedTime) || !t.parseTime(string(at)) ||
		!info.SkipOptionalASN1(tags.SEQUENCE) || !info.SkipOptionalASN1(tags.BOOLEAN) {
		return false
	}
	if info.PeekASN1Tag(tags.INTEGER) {
		if !info.ReadASN1(&nonce, tags.INTEGER) {
			return false
		}
		t.nonce = nonce
	}
	var ok bool
	t.hash, ok = parseHash(alg)
	t.imprint = hash
	return ok && t.hash != crypto.SHA1
}

// parseTime reads a time that may have fractions of a second.
func (t *Token) parseTime(s string) (ok bool) {
	at, err := time.Parse("20060102150405Z", s) // takes fractions as well
	t.Time = at
	return err == nil
}

// Others are the certificates that came with the time stamp server's.
func (t *Token) Others() []*x509.Certificate { return t.signed.Others }

// Hash is what the token's imprint was made with.
func (t *Token) Hash() crypto.Hash { return t.hash }

// Covers reports whether the token is one of content with the given digest, which
// is that of t.Hash.
func (t *Token) Covers(digest []byte) bool { return bytes.Equal(t.imprint, digest) }

// Token is the time stamp of the signature; nil where there is none.
func (s *Signed) Token() (*Token, error) {
	if len(s.info.tokens) == 0 {
		return nil, nil
	}
	t, rest, err := ParseToken(s.info.tokens[0])
	if err != nil {
		return nil, err
	}
	if len(rest) != 0 {
		return nil, errToken
	}
	h := t.hash.New()
	h.Write(s.info.signature)
	if !t.Covers(h.Sum(nil)) {
		return nil, errImprint
	}
	return t, nil
}
