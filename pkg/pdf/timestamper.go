package pdf

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
)

// Timestamper asks time stamp servers (RFC 3161), the first that answers well. One that does
// not is left alone for half a minute. It is safe for concurrent use.
type Timestamper struct {
	asks   *cms.Timestamper
	single bool // there is one server
}

// TimestampCheck is how a time stamp server answered.
type TimestampCheck = cms.TimestampCheck

// NewTimestamper takes the addresses of servers in the order in which they are asked. The roots
// are what the certificates of servers must lead to; nil trusts those that servers send.
func NewTimestamper(client *http.Client, now func() time.Time, roots *x509.CertPool, urls ...string) *Timestamper {
	servers := make([]*cms.TimestampClient, len(urls))
	for i, u := range urls {
		servers[i] = &cms.TimestampClient{Client: client, URL: u, Rand: rand.Reader, Roots: roots}
	}
	return &Timestamper{asks: cms.NewTimestamper(now, servers...), single: len(urls) == 1}
}

func (t *Timestamper) request(digest [32]byte) ([]byte, *cms.Token, error) {
	return t.asks.Request(digest)
}

// Paused returns the moment at which a server may be asked again; zero where one may be asked now.
func (t *Timestamper) Paused() time.Time { return t.asks.Paused() }

// Skew is by how much the last answer of a server was ahead of this machine's clock; of several
// servers the one nearest to it. Zero where none has answered.
func (t *Timestamper) Skew() time.Duration { return t.asks.Skew() }

// Check asks each server once.
func (t *Timestamper) Check() []TimestampCheck { return t.asks.Check() }

// Stamp puts a time stamp into the signature of an update that was made without one. The
// update's length and what is signed stay as they are. The result is the update and the SHA-256
// of the original and the update together; until is when the certificate of the time stamp ends.
func (t *Timestamper) Stamp(original io.Reader, update []byte) (stamped []byte, sum [sha256.Size]byte, until time.Time, err error) {
	stamped, sum, err = changeSignature(original, update, func(der []byte) ([]byte, error) {
		return cms.AddTimestamp(der, func(digest [32]byte) ([]byte, error) {
			der, token, err := t.request(digest)
			if err == nil {
				until = token.Certificate.NotAfter
			}
			return der, err
		})
	})
	return stamped, sum, until, err
}

// ReplaceLogProof puts a log proof into the signature of an update, in place of the one that is
// there. The update's length and what is signed stay as they are. The result is the update and the
// SHA-256 of the original and the update together.
func ReplaceLogProof(original io.Reader, update, proof []byte) (replaced []byte, sum [sha256.Size]byte, err error) {
	return changeSignature(original, update, func(der []byte) ([]byte, error) { return cms.SetLogProof(der, proof) })
}

// HasLaterSignature reports whether an update holds more than one signature. A later one covers the
// first, which cannot be changed any more.
func HasLaterSignature(update []byte) bool { return bytes.Count(update, []byte("/ByteRange")) > 1 }

// changeSignature changes the unsigned part of the signature in an update.
func changeSignature(original io.Reader, update []byte, change func(der []byte) ([]byte, error)) (changed []byte, sum [sha256.Size]byte, err error) {
	place, err := signaturePlace(update)
	if err != nil {
		return nil, sum, err
	}
	der, err := hex.AppendDecode(nil, place)
	if err != nil {
		return nil, sum, errNoPlace
	}
	signature, err := change(der)
	if err != nil {
		return nil, sum, err
	}
	if 2*len(signature) > len(place) {
		return nil, sum, fmt.Errorf("the signature of %d bytes does not fit its place of %d", len(signature), len(place)/2)
	}
	changed = bytes.Clone(update)
	room, err := signaturePlace(changed)
	if err != nil {
		return nil, sum, err
	}
	for i := range room[hex.Encode(room, signature):] {
		room[2*len(signature)+i] = '0'
	}
	digest := sha256.New()
	if _, err := io.Copy(digest, original); err != nil {
		return nil, sum, fmt.Errorf("hash the original: %w", err)
	}
	digest.Write(changed)
	digest.Sum(sum[:0])
	return changed, sum, nil
}

var errNoPlace = errors.New("the update has no signature of a form that can be changed")

// signaturePlace is where an update has its signature, in hexadecimal digits.
func signaturePlace(update []byte) ([]byte, error) {
	const start = "]/Contents<"
	at := bytes.LastIndex(update, []byte("/ByteRange[0 "))
	if at < 0 {
		return nil, errNoPlace
	}
	from := bytes.Index(update[at:], []byte(start))
	if from < 0 {
		return nil, errNoPlace
	}
	from += at + len(start)
	length := bytes.IndexByte(update[from:], '>')
	if length < 0 {
		return nil, errNoPlace
	}
	return update[from : from+length], nil
}

// TimestampUntil returns when the certificate of the time stamp in an update's signature ends;
// zero where it has none that holds.
func TimestampUntil(update []byte) time.Time {
	place, err := signaturePlace(update)
	if err != nil {
		return time.Time{}
	}
	der, err := hex.AppendDecode(nil, place)
	if err != nil {
		return time.Time{}
	}
	signed, _, err := cms.Parse(der)
	if err != nil {
		return time.Time{}
	}
	token, err := signed.Token()
	if err != nil || token == nil {
		return time.Time{}
	}
	return token.Certificate.NotAfter
}
