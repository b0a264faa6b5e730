// Package verify judges the signatures of any PDF, no matter who made it: whether
// the bytes that each covers are as they were signed, what was changed since and
// whether the signature allows that, and who signed. It asks nobody, and trusts
// the certificates that it is given and no others.
package verify

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/cms"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
	"github.com/vecctl/vecctl/pkg/transparency"
)

const (
	maxSignatures = 50  // judged at most in one file; each may read all of it
	maxRevisions  = 200 // gone back to in search of them
)

// Code is a verdict in one stable word.
type Code string

// The verdicts. Trusted and Valid are those of a file that is as it was signed.
const (
	Trusted    Code = "trusted"    // and a trusted authority vouches for each signer
	Valid      Code = "valid"      // who signed is not known here
	Changed    Code = "changed"    // it was changed beyond what a signature allows
	Forged     Code = "forged"     // a signature is none, or its certificate cannot have made it
	Unsigned   Code = "unsigned"   // a PDF without a signature
	Unreadable Code = "unreadable" // it cannot be judged
)

// Reason is why a file is not valid, in one stable word.
type Reason string

// The reasons.
const (
	Altered            Reason = "altered"             // the bytes that a signature covers are others now
	Added              Reason = "added"               // bytes were added that no signature covers and that are no update
	BeyondPermission   Reason = "beyond_permission"   // an update changed what a signature does not allow to change
	Remains            Reason = "remains"             // a signature was there and is not any more
	BadRange           Reason = "byte_range"          // a signature does not cover what it must
	BadSignature       Reason = "signature"           // a signature's value or form is wrong
	Weak               Reason = "weak_algorithm"      // it rests on what can be forged
	UnknownKind        Reason = "unknown_algorithm"   // it is of a kind or an algorithm that is not known
	NoCertificate      Reason = "no_certificate"      // its certificate is not there
	OutsideValidity    Reason = "certificate_expired" // its certificate was not valid when it signed
	KeyUsage           Reason = "key_usage"           // its certificate is not for signing documents
	BrokenChain        Reason = "chain_broken"        // its certificate was not made by the issuer that came with it
	Revoked            Reason = "revoked"             // its certificate was revoked before it signed
	Contradiction      Reason = "contradiction"       // what its signatures permit contradicts itself
	NotPDF             Reason = "not_pdf"
	Encrypted          Reason = "encrypted"
	TooComplex         Reason = "too_complex"
	Damaged            Reason = "damaged"
	TooManySignatures  Reason = "too_many_signatures"
	NotComparable      Reason = "not_comparable" // its versions cannot be compared
	UnknownCertificate Reason = "unknown_issuer" // of a verdict that is valid and not trusted
)

// Level is what a signature has for later years (ETSI EN 319 142-1).
type Level string

// The levels, each with all that the one before it has. The empty one is that of a
// signature of another kind.
const (
	LevelB   Level = "B-B"
	LevelT   Level = "B-T"   // a time stamp
	LevelLT  Level = "B-LT"  // what its validation needs
	LevelLTA Level = "B-LTA" // a time stamp over that
)

// Verdict is what File found out about a file.
type Verdict struct {
	Code        Code
	Reason      Reason      // why it is not trusted or not valid; empty when it is trusted
	Valid       bool        // Trusted or Valid
	Level       Level       // the lowest of its signatures
	Missing     []string    // what the file lacks for the level above, as noun phrases
	LevelNote   string      // what is to be known of the level besides, a sentence; may be empty
	Sentence    string      // the verdict for a person
	WhoVouches  string      // the part of it that says who vouches for the signer; may be empty
	ReferenceID string      // of the certificate, as the signature's dictionary says it; may be empty
	URL         string      // of the certificate's page; may be empty
	Signatures  []Signature // in the order of signing
	SHA256      []byte      // of the file, where it was asked for
	// TimestampUntil is when the certificate of the newest time stamp ends; zero: there is none.
	TimestampUntil time.Time
}

// Signature is one signature of a file.
type Signature struct {
	Field           string // name of the form field
	SignedBy        string // common name of the signer's certificate
	Issuer          string // common name of who issued it, as it says
	Fingerprint     string // SHA-256 of the certificate, lower-case hexadecimal
	SelfSigned      bool
	Trusted         bool      // a certificate that is trusted vouches for the signer's
	SignedAt        time.Time // as the signer says, or as the time stamp does
	Timestamped     bool      // a time stamp vouches for SignedAt
	TimestampedBy   string    // common name of the time stamp server's certificate
	IsTimestamp     bool      // a document time stamp: it says when and nothing else
	Certifies       int       // permission level of a certifying signature, 1 to 3; 0: it certifies nothing
	Level           Level
	Missing         []string // for the level above
	Intact          bool     // the bytes that it covers are as they were signed
	CoversWholeFile bool
	Changes         []Change // to the document since
	Reason          Reason
	Problem         string // what is wrong, a sentence; empty when nothing is
	Note            string // what is to be known besides, a sentence; may be empty
	ReferenceID     string // as its dictionary says it
	URL             string
	Log             Log
	SignedBytes     []byte // SHA-256 of what it covers; nil where it does not hold or has another hash

	end int64
}

// Log is what a signature says of the transparency log that its document is entered in.
type Log struct {
	Key    string              // the log's public key, which the signature covers; empty: it names no log
	Proof  *transparency.Proof // that the document is in the log; nil: the file has none
	Signed []byte              // the proof as it stands in the signature
	// Digest is the SHA-256 of what the signature covers, of which a log's entry is; nil where the
	// signature is of another hash.
	Digest []byte
}

// Change is what was changed after a signature.
type Change struct {
	What    string // a clause such as "page 2 has other content"
	Allowed bool   // by the signature
}

// Options are what a verdict depends on besides the file.
type Options struct {
	Trust     *x509.CertPool // certificates that are trusted; nil: none
	Now       time.Time      // a signature of a later time is none; the zero time: it is not asked
	Digest    bool           // the verdict has the file's SHA-256
	Issuances *cms.Issuances // what is known of certificates from other files; may be nil
}

// File judges the file of size bytes at r. The error is about reading it; all
// that is wrong with the file is the verdict.
func File(r io.ReaderAt, size int64, o Options) (Verdict, error) {
	v, err := judgeFile(r, size, o)
	if err != nil || !o.Digest || v.SHA256 != nil {
		return v, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(r, 0, size)); err != nil {
		return Verdict{}, fmt.Errorf("read the file: %w", err)
	}
	v.SHA256 = h.Sum(nil)
	return v, nil
}

func judgeFile(r io.ReaderAt, size int64, o Options) (Verdict, error) {
	d, v, err := open(r, size, o)
	if d != nil {
		d.release()
	}
	return v, err
}

// open reads a file and judges it. The document is nil where the file has no signatures that
// could be judged.
func open(r io.ReaderAt, size int64, o Options) (*document, Verdict, error) {
	f, err := xref.Open(r, size)
	if refused, ok := errors.AsType[*reject.Rejection](err); ok {
		return nil, unreadable(r, size, refused), nil
	}
	if err != nil {
		return nil, Verdict{}, fmt.Errorf("read the file: %w", err)
	}
	d := &document{r: r, size: size, f: f, options: o, revision: map[int64]*xref.File{size: f}}
	v, found, err := d.find()
	if err == nil && found {
		v, err = d.judge()
	}
	if err != nil || !found {
		d.release()
		return nil, v, err
	}
	return d, v, nil
}

// release gives back all that was opened.
func (d *document) release() {
	d.close()
	d.f.Close()
}

// find collects the signatures. Where there are none that can be judged, found is false and the
// verdict says why.
func (d *document) find() (v Verdict, found bool, err error) {
	d.collect(d.f)
	ends := d.f.Revisions()
	if len(ends) > maxRevisions {
		return Verdict{Code: Unreadable, Reason: TooComplex, Sentence: "Not judged: the file was updated more than 200 times."}, false, nil
	}
	for _, end := range ends {
		if err := d.collectRemoved(end); err != nil {
			return Verdict{}, false, err
		}
	}
	switch {
	case len(d.signatures) == 0:
		return unsigned(d.r, d.size), false, nil
	case len(d.signatures) > maxSignatures:
		return Verdict{Code: Unreadable, Reason: TooManySignatures, Sentence: "Not judged: the file has more than 50 signatures."}, false, nil
	}
	// Where the tables of a file are damaged, its earlier versions cannot be told, and a signature of
	// one may be hidden behind that of somebody else.
	if d.f.Repaired {
		written, err := countSignatures(d.r, d.size)
		if err != nil {
			return Verdict{}, false, err
		}
		if written > len(d.signatures) {
			return remains(), false, nil
		}
	}
	return Verdict{}, true, nil
}

// countSignatures counts the signatures that a file's bytes look like, up to one more than a file
// may have.
func countSignatures(r io.ReaderAt, size int64) (int, error) {
	const mark = "/ByteRange"
	n := 0
	block := make([]byte, 64<<10)
	for at := int64(0); at < size && n <= maxSignatures; at += int64(len(block) - len(mark) + 1) {
		read, err := r.ReadAt(block, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("read the file: %w", err)
		}
		n += bytes.Count(block[:read], []byte(mark))
	}
	return n, nil
}

// WasSigned reports whether a document has a signature, or had one in an earlier version
// that it continues.
func WasSigned(r io.ReaderAt, f *xref.File) bool {
	d := document{r: r, size: f.Size(), f: f, revision: map[int64]*xref.File{f.Size(): f}}
	defer d.close()
	d.collect(f)
	for _, end := range f.Revisions() {
		if len(d.signatures) > 0 || d.collectRemoved(end) != nil {
			return true
		}
	}
	return len(d.signatures) > 0
}

// unreadable is the verdict on what the reader refuses.
func unreadable(r io.ReaderAt, size int64, why *reject.Rejection) Verdict {
	switch why.Reason {
	case reject.Empty:
		return Verdict{Code: Unreadable, Reason: NotPDF, Sentence: "Not signed: the file is not a PDF. It is empty."}
	case reject.NotPDF:
		return Verdict{Code: Unreadable, Reason: NotPDF, Sentence: "Not signed: the file is not a PDF."}
	case reject.Encrypted, reject.UnknownHandler:
		return Verdict{Code: Unreadable, Reason: Encrypted,
			Sentence: "Not judged: the file is encrypted and does not open without a password or certificate."}
	case reject.TooComplex:
		return Verdict{Code: Unreadable, Reason: TooComplex, Sentence: "Not judged: the file is built in a way that takes too long to read."}
	}
	if looksSigned(r, size) {
		return Verdict{Code: Changed, Reason: Damaged, Sentence: "Not valid: the file was signed once and is damaged or cut off."}
	}
	return Verdict{Code: Unreadable, Reason: Damaged, Sentence: "Not signed, and damaged: the file cannot be read as a PDF."}
}

func unsigned(r io.ReaderAt, size int64) Verdict {
	if looksSigned(r, size) {
		return remains()
	}
	return Verdict{Code: Unsigned, Sentence: "Not signed: the file is a PDF without a signature."}
}

func remains() Verdict {
	return Verdict{Code: Changed, Reason: Remains,
		Sentence: "Not valid: the file has the remains of a signature that its form does not know any more."}
}

// looksSigned reports whether the file's end looks like that of a signed file.
func looksSigned(r io.ReaderAt, size int64) bool {
	end := make([]byte, min(size, 128<<10))
	n, _ := r.ReadAt(end, size-int64(len(end))) // what cannot be read has no remains
	return bytes.Contains(end[:n], []byte("/ByteRange"))
}
