package pdf

import (
	"crypto/x509"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/verify"
)

// Verdict is what Verify found out about a file.
type Verdict = verify.Verdict

// Signature is one signature of a file.
type Signature = verify.Signature

// Change is a change to a document after one of its signatures.
type Change = verify.Change

// LogOfSignature is what a signature says of the log of issued certificates.
type LogOfSignature = verify.Log

// VerdictCode is a verdict in one stable word.
type VerdictCode = verify.Code

// The verdicts.
const (
	VerdictTrusted    = verify.Trusted
	VerdictValid      = verify.Valid
	VerdictChanged    = verify.Changed
	VerdictForged     = verify.Forged
	VerdictUnsigned   = verify.Unsigned
	VerdictUnreadable = verify.Unreadable
)

// Verifier judges files. What it finds out about certificates serves for the next. It is
// safe for concurrent use.
type Verifier struct{ options verify.Options }

// VerifyOption changes what a verdict depends on.
type VerifyOption func(*verify.Options)

// WithTrust has the certificates of a pool vouch for signers.
func WithTrust(pool *x509.CertPool) VerifyOption { return func(o *verify.Options) { o.Trust = pool } }

// WithTime has a signature of a time after now count for nothing.
func WithTime(now time.Time) VerifyOption { return func(o *verify.Options) { o.Now = now } }

// WithDigest has verdicts come with the file's SHA-256.
func WithDigest() VerifyOption { return func(o *verify.Options) { o.Digest = true } }

// NewVerifier makes a verifier.
func NewVerifier(opts ...VerifyOption) *Verifier {
	v := &Verifier{verify.Options{Issuances: &cms.Issuances{}}}
	for _, opt := range opts {
		opt(&v.options)
	}
	return v
}

// Verify judges any file, no matter who made it. It needs no network, and bounds
// what it reads of a hostile file. The error is about reading; whatever is wrong
// with the file is the verdict.
func (v *Verifier) Verify(r io.ReaderAt, size int64) (Verdict, error) {
	return verify.File(r, size, v.options)
}

// Verify judges one file.
func Verify(r io.ReaderAt, size int64, opts ...VerifyOption) (Verdict, error) {
	return NewVerifier(opts...).Verify(r, size)
}

// VaultSignature is a signature whose dictionary names a certificate.
type VaultSignature = verify.VaultSignature

// VaultMark stands in every file with a VaultSignature, in plain bytes.
const VaultMark = verify.VaultMark

// VaultSignatures finds the signatures of vaults in a file. It finds none in a file that
// cannot be read. The error is about reading.
func VaultSignatures(r io.ReaderAt, size int64) ([]VaultSignature, error) {
	return verify.VaultSignatures(r, size)
}
