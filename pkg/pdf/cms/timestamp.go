package cms

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	// timestampTimeout is how long a server may take.
	timestampTimeout = 5 * time.Second
	// maxClockSkew is how far a server's time may be from ours.
	maxClockSkew = 10 * time.Minute
	maxResponse  = 64 << 10
	nonceSize    = 8
)

// TimestampClient is a time stamp server (RFC 3161, 3.4).
type TimestampClient struct {
	Client *http.Client
	URL    string
	Rand   io.Reader // for nonces
	// Roots are what the server's certificate must lead to; nil: to the last of those that it
	// sends.
	Roots *x509.CertPool

	skew atomic.Int64 // nanoseconds by which its last answer was ahead of this machine
}

// Request is RequestToken without the token as it was read.
func (s *TimestampClient) Request(digest [sha256.Size]byte, now time.Time) ([]byte, error) {
	der, _, err := s.RequestToken(digest, now)
	return der, err
}

// RequestToken asks for a token over a digest. The answer is checked: that it is of this digest and
// this request, that its signature holds, that its time is about now, and that the server's
// certificate was valid then, is one for time stamps alone, and leads to a root.
func (s *TimestampClient) RequestToken(digest [sha256.Size]byte, now time.Time) ([]byte, *Token, error) {
	nonce := make([]byte, nonceSize)
	if _, err := io.ReadFull(s.Rand, nonce); err != nil {
		return nil, nil, fmt.Errorf("random bytes: %w", err)
	}
	nonce[0] = nonce[0]&0x3F | 0x40 // above zero, and in the shortest form
	imprint := seq(tagSequence, algSHA256, seq(tagOctetString, digest[:]))
	wantCertificate := []byte{1, 1, 0xFF}
	request := seq(tagSequence, []byte{tagInteger, 1, 1}, imprint, seq(tagInteger, nonce), wantCertificate)
	answer, err := s.post(request)
	if err != nil {
		return nil, nil, fmt.Errorf("the time stamp server %s did not answer: %w", s.URL, err)
	}
	token, t, err := parseResponse(answer, digest[:], nonce)
	if err == nil {
		s.skew.Store(int64(t.Time.Sub(now)))
		err = s.check(t, now)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the time stamp server %s: %w", s.URL, err)
	}
	return token, t, nil
}

func (s *TimestampClient) post(request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timestampTimeout) //nolint:forbidigo // bounded by itself: signing does not end halfway
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	resp, err := s.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", resp.Status)
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "application/timestamp-reply" {
		return nil, fmt.Errorf("with %.60q, which is no time stamp", resp.Header.Get("Content-Type"))
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	if len(b) > maxResponse {
		return nil, fmt.Errorf("with more than %d bytes", maxResponse)
	}
	return b, err
}

// check judges what a token's own signature does not prove.
func (s *TimestampClient) check(t *Token, now time.Time) error {
	if skew := t.Time.Sub(now); skew.Abs() > maxClockSkew {
		return fmt.Errorf("its time is %s, and this machine's is %s; one of the two clocks is wrong",
			t.Time.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	if t.hash != crypto.SHA256 {
		return errImprint
	}
	if !isForTimestampsAlone(t.Certificate) {
		return errors.New("its certificate is not one for time stamps alone (RFC 3161, 2.3)")
	}
	chain, _ := orderChain(append([]*x509.Certificate{t.Certificate}, t.Others()...))
	roots, intermediates := s.Roots, x509.NewCertPool()
	if roots == nil {
		roots = x509.NewCertPool()
		roots.AddCert(chain[len(chain)-1])
	}
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	_, err := t.Certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: t.Time,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return fmt.Errorf("its certificate is not to be trusted: %w", err)
	}
	return nil
}

// isForTimestampsAlone reports whether a certificate has the one extended key usage that RFC
// 3161 demands, marked critical.
func isForTimestampsAlone(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) != 0 {
		return false
	}
	extKeyUsage := asn1.ObjectIdentifier{2, 5, 29, 37}
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Critical && e.Id.Equal(extKeyUsage) })
}

var errResponse = errors.New("its answer cannot be read")

// parseResponse reads a TimeStampResp.
func parseResponse(b, digest, nonce []byte) ([]byte, *Token, error) {
	in := cryptobyte.String(b)
	var answer, info, token cryptobyte.String
	var status int
	if !in.ReadASN1(&answer, tags.SEQUENCE) || !answer.ReadASN1(&info, tags.SEQUENCE) || !info.ReadASN1Integer(&status) {
		return nil, nil, errResponse
	}
	if status > 1 { // granted, and granted with modifications
		return nil, nil, fmt.Errorf("it refused with status %d", status)
	}
	if !answer.ReadASN1Element(&token, tags.SEQUENCE) {
		return nil, nil, errResponse
	}
	t, rest, err := ParseToken(token)
	switch {
	case err != nil:
		return nil, nil, err
	case len(rest) != 0 || !t.isCanonical(nil):
		return nil, nil, errors.New("its time stamp is of an unusual form, of which not every change would show")
	case !t.Covers(digest) || !bytes.Equal(t.nonce, nonce):
		return nil, nil, errImprint
	}
	return token, t, nil
}
