package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha1" // judged, and named as too weak
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
)

// parseAlgorithm splits an AlgorithmIdentifier. Parameters that are NULL count as
// absent.
func parseAlgorithm(element []byte) (oid string, params cryptobyte.String, ok bool) {
	in := cryptobyte.String(element)
	var body cryptobyte.String
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&body, tags.SEQUENCE) || !in.Empty() || !body.ReadASN1ObjectIdentifier(&id) {
		return "", nil, false
	}
	if string(body) == "\x05\x00" {
		body = nil
	}
	return id.String(), body, true
}

func parseHash(element []byte) (crypto.Hash, bool) {
	oid, _, ok := parseAlgorithm(element)
	h := map[string]crypto.Hash{
		"1.3.14.3.2.26":          crypto.SHA1,
		"2.16.840.1.101.3.4.2.1": crypto.SHA256,
		"2.16.840.1.101.3.4.2.2": crypto.SHA384,
		"2.16.840.1.101.3.4.2.3": crypto.SHA512,
	}[oid]
	return h, ok && h != 0
}

var errSignature = errors.New("the signature does not belong to its certificate, or was altered")

// verifySignature checks sig over message with the public key pub.
func verifySignature(pub crypto.PublicKey, alg []byte, h crypto.Hash, message, sig []byte) error {
	oid, params, ok := parseAlgorithm(alg)
	if !ok {
		return ErrAlgorithm
	}
	sum := h.New()
	sum.Write(message)
	return verifyDigest(pub, oid, params, h, message, sum.Sum(nil), sig)
}

func verifyDigest(pub crypto.PublicKey, oid string, params cryptobyte.String, h crypto.Hash, message, digest, sig []byte) error {
	valid := false
	switch key := pub.(type) {
	case *rsa.PublicKey:
		switch {
		case oid == "1.2.840.113549.1.1.10":
			salt, ok := pssParams(params, h)
			if !ok {
				return ErrAlgorithm
			}
			valid = rsa.VerifyPSS(key, h, digest, sig, &rsa.PSSOptions{SaltLength: salt, Hash: h}) == nil
		case oid == "1.2.840.113549.1.1.1" || hashWithRSA[oid] == h:
			valid = rsa.VerifyPKCS1v15(key, h, digest, sig) == nil
		default:
			return ErrAlgorithm
		}
	case *ecdsa.PublicKey:
		if oid != "1.2.840.10045.2.1" && hashWithECDSA[oid] != h {
			return ErrAlgorithm
		}
		valid = ecdsa.VerifyASN1(key, digest, sig)
	case ed25519.PublicKey:
		if oid != "1.3.101.112" {
			return ErrAlgorithm
		}
		valid = message != nil && ed25519.Verify(key, message, sig)
	default:
		return ErrAlgorithm
	}
	if !valid {
		return errSignature
	}
	return nil
}

var hashWithRSA = map[string]crypto.Hash{
	"1.2.840.113549.1.1.5":  crypto.SHA1,
	"1.2.840.113549.1.1.11": crypto.SHA256,
	"1.2.840.113549.1.1.12": crypto.SHA384,
	"1.2.840.113549.1.1.13": crypto.SHA512,
}

var hashWithECDSA = map[string]crypto.Hash{
	"1.2.840.10045.4.1":   crypto.SHA1,
	"1.2.840.10045.4.3.2": crypto.SHA256,
	"1.2.840.10045.4.3.3": crypto.SHA384,
	"1.2.840.10045.4.3.4": crypto.SHA512,
}

// pssParams reads RSASSA-PSS-params (RFC 4055, 3.1). Both hashes must be h: no
// signing program mixes them.
func pssParams(in cryptobyte.String, h crypto.Hash) (salt int, ok bool) {
	var body, hash, mgf, length cryptobyte.String
	var hasHash, hasMGF, hasSalt bool
	if !in.ReadASN1(&body, tags.SEQUENCE) ||
		!body.ReadOptionalASN1(&hash, &hasHash, tagContext0) ||
		!body.ReadOptionalASN1(&mgf, &hasMGF, tagContext1) ||
		!body.ReadOptionalASN1(&length, &hasSalt, tagContext0+2) {
		return 0, false
	}
	salt = 20
	if hasSalt && (!length.ReadASN1Integer(&salt) || salt < 0 || salt > 512) {
		return 0, false
	}
	if !hasHash || !hasMGF {
		return salt, h == crypto.SHA1 && !hasHash && !hasMGF
	}
	first, ok1 := parseHash(hash)
	_, inner, ok2 := parseAlgorithm(mgf)
	second, ok3 := parseHash(inner)
	return salt, ok1 && ok2 && ok3 && first == h && second == h
}
