package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	tags "golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/vecctl/vecctl/pkg/fault"
)

// documentSigning is the extended key usage of RFC 9336.
var documentSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}

// KeyAlgorithm is a kind of key that can be made.
type KeyAlgorithm string

// The kinds of keys. P-256 is fast and small, P-384 is wanted by some rules, and RSA-3072 is read by
// old programs, which know no ECDSA.
const (
	P256    KeyAlgorithm = "P-256"
	P384    KeyAlgorithm = "P-384"
	RSA3072 KeyAlgorithm = "RSA-3072"
)

// ParseKeyAlgorithm reads the name of a kind of key.
func ParseKeyAlgorithm(name string) (KeyAlgorithm, error) {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	for _, a := range []KeyAlgorithm{P256, P384, RSA3072} {
		if plain(string(a)) == plain(name) {
			return a, nil
		}
	}
	return "", fault.Newf(fault.Invalid, "%q is no kind of key that can be made; want P-256, P-384 or RSA-3072", name)
}

func (a KeyAlgorithm) newKey(rand io.Reader) (crypto.Signer, error) {
	const bits = 3072
	switch a {
	case P384:
		return ecdsa.GenerateKey(elliptic.P384(), rand)
	case RSA3072:
		return rsa.GenerateKey(rand, bits)
	case P256:
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand)
}

// SelfSigned makes a key and a certificate for it that is valid from now for some years, both in PEM.
func SelfSigned(rand io.Reader, a KeyAlgorithm, commonName string, now time.Time, years int) (keyPEM, certPEM []byte, err error) {
	key, err := a.newKey(rand)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	serial := make([]byte, 16)
	if _, err := io.ReadFull(rand, serial); err != nil {
		return nil, nil, fmt.Errorf("make a serial number: %w", err)
	}
	serial[0] = serial[0]&0x7F | 0x40
	template := &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(serial),
		Subject:               pkix.Name{CommonName: commonName},
		NotBefore:             now.Add(-time.Hour).UTC(),
		NotAfter:              now.AddDate(years, 0, 0).UTC(),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		UnknownExtKeyUsage:    []asn1.ObjectIdentifier{documentSigning},
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encode the key: %w", err)
	}
	keyPEM = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return keyPEM, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// byteOrderMark begins text files of some editors.
var byteOrderMark = []byte("\uFEFF")

// Load makes a signer of a key (PKCS#8, PKCS#1 or SEC 1) and certificates, the
// key's own first, all in PEM. They may stand in one file.
func Load(keyPEM, certPEM []byte) (*Signer, error) {
	keyPEM, certPEM = bytes.TrimPrefix(keyPEM, byteOrderMark), bytes.TrimPrefix(certPEM, byteOrderMark)
	var key crypto.Signer
	for rest := keyPEM; key == nil; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, fault.New(fault.Invalid, "The signing key's file holds no private key in PEM.")
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return nil, fault.New(fault.Invalid, "The signing key is protected by a password: give it as PKCS#12, or without one.")
		}
		if key = privateKey(block); key == nil && strings.HasSuffix(block.Type, "PRIVATE KEY") {
			if name := unknownCurve(block.Bytes); name != "" {
				return nil, curveError(name)
			}
			return nil, fault.New(fault.Invalid, "The private key in the file is of a kind with which this program cannot sign, such as DSA, RSA-PSS, or an elliptic curve without a name: "+
				"use a key on P-256, P-384 or P-521, or an RSA key.")
		}
	}
	var chain []*x509.Certificate
	for block, rest := pem.Decode(certPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if name := unknownCurve(block.Bytes); err != nil && name != "" {
			return nil, curveError(name)
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "A certificate of the signing chain cannot be read.")
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, fault.New(fault.Invalid, "The signing certificate's file holds no certificate in PEM.")
	}
	return NewSignerOf(key, chain)
}

// NewSignerOf makes a signer of a key and certificates in any order, which may be more than its chain.
func NewSignerOf(key crypto.Signer, certs []*x509.Certificate) (*Signer, error) {
	if key == nil || len(certs) == 0 {
		return NewSigner(key, certs)
	}
	return newOrderedSigner(key, leafFirst(key, certs))
}

// newOrderedSigner makes a signer of a key and certificates of which the first is its own.
func newOrderedSigner(key crypto.Signer, certs []*x509.Certificate) (*Signer, error) {
	chain, left := orderChain(certs)
	s, err := NewSigner(key, chain)
	if err != nil {
		return nil, err
	}
	s.left = left
	return s, nil
}

func privateKey(block *pem.Block) crypto.Signer {
	if k, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if s, ok := k.(crypto.Signer); ok {
			return s
		}
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return k
	}
	if k, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return k
	}
	return nil
}

// leafFirst moves the key's own certificate to the front.
func leafFirst(key crypto.Signer, chain []*x509.Certificate) []*x509.Certificate {
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	for i, c := range chain {
		if ok && pub.Equal(c.PublicKey) {
			out := append([]*x509.Certificate{c}, chain[:i]...)
			return append(out, chain[i+1:]...)
		}
	}
	return chain
}

// ErrPassword says that a password is wrong.
var ErrPassword = errors.New("the password is wrong")

// LoadPKCS12 makes a signer of a PKCS#12 file (.p12, .pfx).
func LoadPKCS12(data []byte, password string) (*Signer, error) {
	private, leaf, others, err := pkcs12.DecodeChain(data, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		return nil, fault.Wrap(fault.Invalid, errors.Join(ErrPassword, err), "The PKCS#12 file cannot be opened: check its password.")
	}
	if err != nil {
		return nil, pkcs12Error(data, err)
	}
	key, ok := private.(crypto.Signer)
	if !ok {
		return nil, fault.New(fault.Invalid, "The PKCS#12 file's key cannot sign.")
	}
	return newOrderedSigner(key, append([]*x509.Certificate{leaf}, others...))
}

func curveError(name string) error {
	return fault.Newf(fault.Invalid, "The key is on the elliptic curve %s, with which this program cannot sign: use a key on P-256, P-384 or P-521, or an RSA key.", name)
}

// pkcs12Error says why a PKCS#12 file cannot be used, and whether it is one at all.
func pkcs12Error(data []byte, err error) error {
	in := cryptobyte.String(data)
	var body cryptobyte.String
	var version int
	isPKCS12 := in.ReadASN1(&body, tags.SEQUENCE) && body.ReadASN1Integer(&version) && version == 3
	switch text := err.Error(); {
	case !isPKCS12:
		return fault.Wrap(fault.Invalid, err, "The file is not a PKCS#12 file with a key and its certificate: export both together, or give them as PEM.")
	case strings.Contains(text, "elliptic curve") || strings.Contains(text, "named curve"):
		return fault.Wrap(fault.Invalid, err, "The key in the PKCS#12 file is on an elliptic curve with which this program cannot sign, such as a Brainpool curve: "+
			"use a key on P-256, P-384 or P-521, or an RSA key.")
	case strings.Contains(text, "private key missing"), strings.Contains(text, "certificate missing"):
		return fault.Wrap(fault.Invalid, err, "The PKCS#12 file does not hold a key together with its certificate: export both together.")
	default:
		return fault.Wrap(fault.Invalid, err, fmt.Sprintf("The PKCS#12 file is in a form that this program cannot read (%s): export it again with AES, or as PEM.",
			strings.TrimPrefix(text, "pkcs12: ")))
	}
}

// PEM is the key (PKCS #8) and its chain, the key's own certificate first, with those last
// that came along and are in no signature.
func (s *Signer) PEM() ([]byte, error) {
	key, err := x509.MarshalPKCS8PrivateKey(s.key)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The signing key cannot be written as PEM.")
	}
	out := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for _, c := range slices.Concat(s.chain, s.left) {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out, nil
}
