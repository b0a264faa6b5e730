package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrSignature is what Verify says of every delivery that it does not believe. It
// does not say why: a forger would learn from that.
var ErrSignature = errors.New("webhook: the signature does not fit")

// DefaultTolerance is how far a signed moment of sending may be from now.
const DefaultTolerance = 5 * time.Minute

// maxSignatures bounds the work that one delivery can ask for.
const maxSignatures = 16

// Verifier tells deliveries from forgeries. It is safe for concurrent use.
type Verifier struct {
	// Secrets are the signing secrets that are believed; a blank one is not. More
	// than one are needed while a secret is being changed.
	Secrets []string
	// Tolerance is for the moment of sending where that is signed; 0 means
	// DefaultTolerance.
	Tolerance time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Verify checks the signature of a delivery: its headers, and its body as it came,
// before any parsing. A delivery with a Standard Webhooks signature must pass as
// one, moment of sending included; another must have the guide's.
func (v Verifier) Verify(h http.Header, body []byte) error {
	if standard := h.Values(HeaderStandardSignature); len(standard) > 0 {
		return v.standard(h, strings.Join(standard, " "), body)
	}
	given := h.Values(HeaderSignature)
	if len(given) != 1 {
		return ErrSignature
	}
	mac, err := hex.DecodeString(given[0])
	// Upper-case digits are another text than what was signed.
	if err != nil || len(mac) != sha256.Size || given[0] != strings.ToLower(given[0]) {
		return ErrSignature
	}
	return v.match([][]byte{mac}, func(secret string) []byte { return hmacSHA256([]byte(secret), body) })
}

// standard checks a signature of Standard Webhooks: several of them, with spaces
// between, may stand in the header.
func (v Verifier) standard(h http.Header, signatures string, body []byte) error {
	id, timestamp := h.Get(HeaderStandardID), h.Get(HeaderStandardTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" || !v.recent(seconds) {
		return ErrSignature
	}
	var macs [][]byte
	for one := range strings.FieldsSeq(signatures) {
		encoded, ok := strings.CutPrefix(one, "v1,")
		if !ok {
			continue // another version's
		}
		mac, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err == nil && len(mac) == sha256.Size {
			macs = append(macs, mac)
		}
		if len(macs) == maxSignatures {
			break
		}
	}
	return v.match(macs, func(secret string) []byte { return standardSum(secret, id, timestamp, body) })
}

func (v Verifier) recent(seconds int64) bool {
	now, tolerance := time.Now, v.Tolerance
	if v.Now != nil {
		now = v.Now
	}
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	at, present := time.Unix(seconds, 0), now()
	return !at.Before(present.Add(-tolerance)) && !at.After(present.Add(tolerance))
}

// match compares signatures with those of every secret, all of them in any case, so
// that time says nothing.
func (v Verifier) match(macs [][]byte, of func(secret string) []byte) error {
	found := false
	for _, secret := range v.Secrets {
		if secret == "" {
			continue
		}
		want := of(secret)
		for _, mac := range macs {
			if hmac.Equal(mac, want) {
				found = true
			}
		}
	}
	if !found {
		return ErrSignature
	}
	return nil
}
