package signer

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
)

// TimestampTransport takes requests for time stamps (RFC 3161) to signing services, whose own call
// for them is another one. It is for addresses of the form csc:URL.
type TimestampTransport struct {
	opener Opener

	mu       sync.Mutex
	services map[string]*CSC // by address
}

var _ http.RoundTripper = (*TimestampTransport)(nil)

// NewTimestampTransport makes a transport that signs in as the opener's keys do.
func NewTimestampTransport(o Opener) *TimestampTransport {
	return &TimestampTransport{opener: o, services: map[string]*CSC{}}
}

// timestampRequest is a TimeStampReq.
type timestampRequest struct {
	Version int
	Imprint struct {
		Algorithm asn1.RawValue
		Digest    []byte
	}
	Nonce       *big.Int
	Certificate bool `asn1:"optional"`
}

// timestampAnswer is a TimeStampResp that grants a time stamp.
type timestampAnswer struct {
	Status struct{ Status int }
	Token  asn1.RawValue
}

// RoundTrip implements http.RoundTripper.
func (t *TimestampTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	const longest = 4096
	body, err := io.ReadAll(io.LimitReader(req.Body, longest))
	if err != nil {
		return nil, fmt.Errorf("read a request for a time stamp: %w", err)
	}
	if err := req.Body.Close(); err != nil {
		return nil, fmt.Errorf("read a request for a time stamp: %w", err)
	}
	var q timestampRequest
	if rest, err := asn1.Unmarshal(body, &q); err != nil || len(rest) > 0 {
		return nil, errors.New("a request for a time stamp cannot be read")
	}
	service := t.service(strings.TrimPrefix(req.URL.String(), ByCSC))
	var stamped struct {
		Token []byte `json:"timestamp"`
	}
	err = service.call(req.Context(), "signatures/timestamp", map[string]any{"hash": q.Imprint.Digest, "hashAlgo": oidSHA256, "nonce": q.Nonce.String()}, &stamped)
	if err != nil {
		return nil, err
	}
	answer, err := asn1.Marshal(timestampAnswer{Token: asn1.RawValue{FullBytes: stamped.Token}})
	if err != nil || len(stamped.Token) == 0 {
		return nil, errors.New("the signing service returned no time stamp")
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{"Content-Type": {"application/timestamp-reply"}}, Body: io.NopCloser(bytes.NewReader(answer)), ContentLength: int64(len(answer))}, nil
}

// service returns the service at an address.
func (t *TimestampTransport) service(address string) *CSC {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.services[address]; s != nil {
		return s
	}
	s := t.opener.service(address, Record{}, t.opener.PIN)
	t.services[address] = s
	return s
}
