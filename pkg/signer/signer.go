// Package signer signs with keys that lie in no file of the home: a helper process has them, or a
// signing service (Cloud Signature Consortium).
package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/vecctl/vecctl/pkg/fault"
)

// Algorithm is how a key signs a SHA-256 digest.
type Algorithm string

// The algorithms.
const (
	ECDSA Algorithm = "ecdsa-sha256"     // signatures in DER
	RSA   Algorithm = "rsa-pkcs1-sha256" // PKCS #1, version 1.5
)

// algorithmOf returns how keys of a kind sign.
func algorithmOf(public crypto.PublicKey) (Algorithm, error) {
	switch public.(type) {
	case *ecdsa.PublicKey:
		return ECDSA, nil
	case *rsa.PublicKey:
		return RSA, nil
	}
	return "", fault.New(fault.Invalid, "The key is neither ECDSA nor RSA: PDF viewers know no others.")
}

// Backend has one key and signs with it. Exec and CSC are backends.
type Backend interface {
	// Certificates returns the key's own certificate and those that vouch for it, in any order.
	Certificates(ctx context.Context) ([]*x509.Certificate, error)
	// Sign signs SHA-256 digests and returns a signature for each, in their order. It may be
	// called while another call is under way.
	Sign(ctx context.Context, a Algorithm, digests [][]byte) ([][]byte, error)
	// Batch is how many digests one call takes.
	Batch() int
	// Close ends what the backend keeps open.
	Close() error
}

// Failure says why a key that lies elsewhere did not sign. It is not the document's fault.
type Failure struct {
	Message string // what is wrong and what to do, as a sentence without its end
	Err     error  // nil where there is no other error behind it
}

func (f *Failure) Error() string { return f.Message }

// Unwrap has callers be told that they may come back.
func (f *Failure) Unwrap() []error {
	unavailable := fault.New(fault.Unavailable, f.Message)
	if f.Err == nil {
		return []error{unavailable}
	}
	return []error{unavailable, f.Err}
}

func failuref(err error, format string, args ...any) *Failure {
	return &Failure{fmt.Sprintf(format, args...), err}
}

// parseCertificates reads certificates in DER that a signer sent.
func parseCertificates(from string, all [][]byte) ([]*x509.Certificate, error) {
	if len(all) == 0 {
		return nil, failuref(nil, "%s has no certificate of the key", from)
	}
	certs := make([]*x509.Certificate, len(all))
	for i, der := range all {
		var err error
		if certs[i], err = x509.ParseCertificate(der); err != nil {
			return nil, failuref(err, "certificate %d of %s cannot be read (%v)", i+1, from, err)
		}
	}
	return certs, nil
}
