package pdf

import (
	"crypto/x509"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/verify"
)

// Verdict is what Verify found out about a file.
type Verdict = verify.Verdict

// Signature is one signature of a file.
type Signature = verify.Signature

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

// VerifyOption changes what a verdict depends on.
type VerifyOption func(*verify.Options)

// WithTrust has the certificates of a pool vouch for signers.
func WithTrust(pool *x509.CertPool) VerifyOption { return func(o *verify.Options) { o.Trust = pool } }

// WithTime has a signature of a time after now count for nothing.
func WithTime(now time.Time) VerifyOption { return func(o *verify.Options) { o.Now = now } }

// Verify judges any file, no matter who made it. It needs no network, and bounds
// what it reads of a hostile file. The error is about reading; whatever is wrong
// with the file is the verdict.
func Verify(r io.ReaderAt, size int64, opts ...VerifyOption) (Verdict, error) {
	var o verify.Options
	for _, opt := range opts {
		opt(&o)
	}
	return verify.File(r, size, o)
}
