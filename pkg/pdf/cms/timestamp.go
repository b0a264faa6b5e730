package cms

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

const (
	timestampTimeout = 10 * time.Second
	maxResponse      = 64 << 10
	nonceSize        = 8
)

// TimestampClient is a time stamp server (RFC 3161, 3.4).
type TimestampClient struct {
	Client *http.Client
	URL    string
	Rand   io.Reader // for nonces
}

// Request asks for a token over a digest. The answer is checked: that it is of
// this digest and this request, and that its signature holds.
func (s *TimestampClient) Request(digest [sha256.Size]byte) ([]byte, error) {
	nonce := make([]byte, nonceSize)
	if _, err := io.ReadFull(s.Rand, nonce); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	nonce[0] = nonce[0]&0x3F | 0x40 // above zero, and in the shortest form
	imprint := seq(tagSequence, algSHA256, seq(tagOctetString, digest[:]))
	wantCertificate := []byte{1, 1, 0xFF}
	request := seq(tagSequence, []byte{tagInteger, 1, 1}, imprint, seq(tagInteger, nonce), wantCertificate)
	answer, err := s.post(request)
	if err != nil {
		return nil, fmt.Errorf("the time stamp server %s did not answer: %w", s.URL, err)
	}
	token, err := parseResponse(answer, digest[:], nonce)
	if err != nil {
		return nil, fmt.Errorf("the time stamp server %s: %w", s.URL, err)
	}
	return token, nil
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
	return io.ReadAll(io.LimitReader(resp.Body, maxResponse))
}

var errResponse = errors.New("its answer cannot be read")

// parseResponse reads a TimeStampResp.
func parseResponse(b, digest, nonce []byte) ([]byte, error) {
	in := cryptobyte.String(b)
	var answer, info, token cryptobyte.String
	var status int
	if !in.ReadASN1(&answer, tags.SEQUENCE) || !answer.ReadASN1(&info, tags.SEQUENCE) || !info.ReadASN1Integer(&status) {
		return nil, errResponse
	}
	if status > 1 { // granted, and granted with modifications
		return nil, fmt.Errorf("it refused with status %d", status)
	}
	if !answer.ReadASN1Element(&token, tags.SEQUENCE) {
		return nil, errResponse
	}
	t, rest, err := ParseToken(token)
	switch {
	case err != nil:
		return nil, err
	case len(rest) != 0 || !t.isCanonical(nil):
		return nil, errors.New("its time stamp is of an unusual form, of which not every change would show")
	case !t.Covers(digest) || !bytes.Equal(t.nonce, nonce):
		return nil, errImprint
	}
	return token, nil
}
