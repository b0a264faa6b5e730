package pkitest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of a time stamp token.
var (
	oidSignedData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidCertificate = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECDSA       = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidPolicy      = asn1.ObjectIdentifier{1, 2, 3, 4}
)

// timestamp answers a TimeStampReq.
func (a *Authority) timestamp(request []byte) ([]byte, error) {
	in := cryptobyte.String(request)
	var q, imprint, nonce cryptobyte.String
	var version int
	if !in.ReadASN1(&q, tags.SEQUENCE) || !q.ReadASN1Integer(&version) || !q.ReadASN1Element(&imprint, tags.SEQUENCE) ||
		!q.SkipOptionalASN1(tags.OBJECT_IDENTIFIER) || (q.PeekASN1Tag(tags.INTEGER) && !q.ReadASN1Element(&nonce, tags.INTEGER)) {
		return nil, asn1.SyntaxError{Msg: "no request for a time stamp"}
	}
	a.mu.Lock()
	clock, key := a.clock, a.clockKey
	a.mu.Unlock()
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(oidPolicy)
		b.AddBytes(imprint)
		b.AddASN1Int64(a.Clock.Now().UnixNano() + a.serial.Add(1))
		b.AddASN1GeneralizedTime(a.Clock.Now().UTC().Truncate(time.Second))
		b.AddBytes(nonce)
	})
	info, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	attributes, err := signedAttributes(info, clock.Raw)
	if err != nil {
		return nil, err
	}
	set := append([]byte{}, attributes...)
	set[0] = byte(tags.SET)
	sum := sha256.Sum256(set)
	signature, err := key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return response(info, attributes, signature, clock.RawIssuer, clock.SerialNumber, clock.Raw, a.Middle.Raw)
}

// signedAttributes are those of a token, in the order of DER.
func signedAttributes(info, certificate []byte) ([]byte, error) {
	content, name := sha256.Sum256(info), sha256.Sum256(certificate)
	var b cryptobyte.Builder
	b.AddASN1(tags.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		attribute(b, oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidTSTInfo) })
		attribute(b, oidDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(content[:]) })
		attribute(b, oidCertificate, func(b *cryptobyte.Builder) {
			nested(b, 3, func(b *cryptobyte.Builder) { b.AddASN1OctetString(name[:]) })
		})
	})
	return b.Bytes()
}

func attribute(b *cryptobyte.Builder, oid asn1.ObjectIdentifier, value cryptobyte.BuilderContinuation) {
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		b.AddASN1(tags.SET, value)
	})
}

// nested wraps a value in sequences.
func nested(b *cryptobyte.Builder, depth int, value cryptobyte.BuilderContinuation) {
	if depth == 0 {
		value(b)
		return
	}
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { nested(b, depth-1, value) })
}

func algorithm(b *cryptobyte.Builder, oid asn1.ObjectIdentifier) {
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) })
}

// response is a TimeStampResp with its token.
func response(info, attributes, signature, issuer []byte, serial *big.Int, certificates ...[]byte) ([]byte, error) {
	explicit := tags.Tag(0).ContextSpecific().Constructed()
	var b cryptobyte.Builder
	b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(0) })
		b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidSignedData)
			b.AddASN1(explicit, func(b *cryptobyte.Builder) {
				b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1Int64(3)
					b.AddASN1(tags.SET, func(b *cryptobyte.Builder) { algorithm(b, oidSHA256) })
					b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(oidTSTInfo)
						b.AddASN1(explicit, func(b *cryptobyte.Builder) { b.AddASN1OctetString(info) })
					})
					b.AddASN1(explicit, func(b *cryptobyte.Builder) {
						for _, c := range certificates {
							b.AddBytes(c)
						}
					})
					b.AddASN1(tags.SET, func(b *cryptobyte.Builder) {
						b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
							b.AddASN1Int64(1)
							b.AddASN1(tags.SEQUENCE, func(b *cryptobyte.Builder) {
								b.AddBytes(issuer)
								b.AddASN1BigInt(serial)
							})
							algorithm(b, oidSHA256)
							b.AddBytes(attributes)
							algorithm(b, oidECDSA)
							b.AddASN1OctetString(signature)
						})
					})
				})
			})
		})
	})
	return b.Bytes()
}
