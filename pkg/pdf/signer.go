package pdf

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
)

// Signer is a key with its certificates. It is safe for concurrent use.
type Signer struct{ cms *cms.Signer }

// NewSigner takes a key and its certificate with those that vouch for it, the
// key's own first. Keys are ECDSA, or RSA of 2048 bits and more.
func NewSigner(key crypto.Signer, chain []*x509.Certificate) (*Signer, error) {
	return signer(cms.NewSigner(key, chain))
}

// NewSignerOf takes a key and certificates in any order, which may be more than its chain. The key
// may lie elsewhere: all that is asked of it are signatures over SHA-256 digests.
func NewSignerOf(key crypto.Signer, certs []*x509.Certificate) (*Signer, error) {
	return signer(cms.NewSignerOf(key, certs))
}

// NewSelfSigned makes an ECDSA P-256 key and a certificate of its own for
// commonName that is valid from now for some years, both in PEM.
func NewSelfSigned(rand io.Reader, commonName string, now time.Time, years int) (keyPEM, certPEM []byte, err error) {
	return cms.SelfSigned(rand, cms.P256, commonName, now, years)
}

// KeyAlgorithm is a kind of key that can be made: P-256, P-384 or RSA-3072.
type KeyAlgorithm = cms.KeyAlgorithm

// DefaultKeyAlgorithm is that of keys of which nothing is said.
const DefaultKeyAlgorithm = cms.P256

// ParseKeyAlgorithm reads the name of a kind of key.
func ParseKeyAlgorithm(name string) (KeyAlgorithm, error) { return cms.ParseKeyAlgorithm(name) }

// NewKey makes a key of a kind, and a certificate of its own for commonName that is valid from now
// for some years, both in PEM.
func NewKey(rand io.Reader, a KeyAlgorithm, commonName string, now time.Time, years int) (keyPEM, certPEM []byte, err error) {
	return cms.SelfSigned(rand, a, commonName, now, years)
}

// LoadSigner reads a key and a chain of certificates in PEM.
func LoadSigner(keyPEM, certPEM []byte) (*Signer, error) { return signer(cms.Load(keyPEM, certPEM)) }

// ErrPassword says that the password of a PKCS#12 file is wrong.
var ErrPassword = cms.ErrPassword

// LoadPKCS12 reads a key and its chain from a PKCS#12 file.
func LoadPKCS12(data []byte, password string) (*Signer, error) {
	return signer(cms.LoadPKCS12(data, password))
}

func signer(s *cms.Signer, err error) (*Signer, error) {
	if err != nil {
		return nil, err
	}
	return &Signer{s}, nil
}

// PEM is the key and its chain in one text, as LoadSigner reads it.
func (s *Signer) PEM() ([]byte, error) { return s.cms.PEM() }

// Certificates are those of the chain, the signer's own first, and then those that came along and are
// in no signature.
func (s *Signer) Certificates() []*x509.Certificate {
	return slices.Concat(s.cms.Chain(), s.cms.LeftOut())
}

// AlgorithmName names a kind of key, such as P-256 or RSA-3072.
func AlgorithmName(public crypto.PublicKey) string {
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		return public.Curve.Params().Name
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", public.N.BitLen())
	}
	return "unknown"
}

// Certificate is the signer's own certificate.
func (s *Signer) Certificate() *x509.Certificate { return s.cms.Chain()[0] }

// SignDetached signs any content with the stamper's key, and returns the signature as CMS
// SignedData in DER without the content.
func (s *Stamper) SignDetached(content []byte) ([]byte, error) {
	der, _, err := s.signer.cms.Sign(rand.Reader, sha256.Sum256(content), nil)
	return der, err
}

// Certificate is that of the key that the stamper signs with.
func (s *Stamper) Certificate() *x509.Certificate { return s.signer.Certificate() }
