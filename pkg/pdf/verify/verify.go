// Package verify judges the signatures of any PDF, whoever made it: whether the
// bytes that each covers are as they were signed, and by whom. It asks nobody
// and trusts nobody: that a certificate is who it says is for its reader to
// know.
package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/vecctl/vecctl/pkg/pdf/acroform"
	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// maxSignatures are judged at most in one file; each may read all of it.
const maxSignatures = 50

// Verdict is what File found out about a file.
type Verdict struct {
	Valid       bool        // signed, untouched, and the last signature covers every byte
	Sentence    string      // the verdict for a person
	ReferenceID string      // of the certificate, as the signature's dictionary says it; may be empty
	URL         string      // of the certificate's page; may be empty
	Signatures  []Signature // in the order of signing
}

// Signature is one signature of a file.
type Signature struct {
	Field           string // name of the form field
	SignedBy        string // common name of the signer's certificate
	Issuer          string // common name of who issued it
	Fingerprint     string // SHA-256 of the certificate, lower-case hexadecimal
	SelfSigned      bool
	SignedAt        time.Time // as the signer says, or as the time stamp does
	Timestamped     bool      // a time stamp vouches for SignedAt
	TimestampedBy   string    // common name of the time stamp server's certificate
	Certifies       int       // permission level of a certifying signature, 1 to 3; 0: it certifies nothing
	Intact          bool      // the bytes that it covers are as they were signed
	CoversWholeFile bool
	Problem         string // what is wrong, a sentence; empty when nothing is

	altered        bool // the bytes that it covers are others now
	end            int64
	reference, url string
}

// File judges the file of size bytes at r. The error is about reading it; all
// that is wrong with the file is the verdict.
func File(r io.ReaderAt, size int64) (Verdict, error) {
	f, err := xref.Open(r, size)
	if refused, ok := errors.AsType[*reject.Rejection](err); ok {
		return unreadable(r, size, refused), nil
	}
	if err != nil {
		return Verdict{}, fmt.Errorf("read the file: %w", err)
	}
	defer f.Close()
	var v Verdict
	for s := range acroform.Signatures(f) {
		if len(v.Signatures) == maxSignatures {
			return Verdict{Sentence: "Not judged: the file has more than 50 signatures."}, nil
		}
		c := candidate{f: f, r: r, sig: s.Signature, result: Signature{Field: s.Name}}
		if err := c.verify(); err != nil {
			return Verdict{}, err
		}
		v.Signatures = append(v.Signatures, c.result)
	}
	if len(v.Signatures) == 0 {
		return unsigned(r, size), nil
	}
	slices.SortStableFunc(v.Signatures, func(a, b Signature) int { return int(min(max(a.end-b.end, -1), 1)) })
	v.summarize(size)
	return v, nil
}

// summarize makes the verdict out of the signatures, the last of which counts.
func (v *Verdict) summarize(size int64) {
	last := v.Signatures[len(v.Signatures)-1]
	v.ReferenceID, v.URL = last.reference, last.url
	v.Valid = last.Intact && last.CoversWholeFile
	switch {
	case v.Valid:
		v.Sentence = fmt.Sprintf("Valid: not a byte was changed since %s signed it%s.", quoteName(last.SignedBy), formatTime(last.SignedAt))
		v.Sentence += describeEarlier(v.Signatures)
	case last.Intact:
		added := fmt.Sprintf("%d bytes were", size-last.end)
		if size-last.end == 1 {
			added = "a byte was"
		}
		v.Sentence = fmt.Sprintf("Not valid: %s added to the file after %s signed it%s.", added, quoteName(last.SignedBy), formatTime(last.SignedAt))
	case last.altered:
		v.Sentence = fmt.Sprintf("Not valid: the file was altered after %s signed it%s.", quoteName(last.SignedBy), formatTime(last.SignedAt))
	default:
		v.Sentence = "Not valid: " + last.Problem
	}
}

// describeEarlier tells of the signatures before the last: what they covered may have
// been added to since, by whoever signed last.
func describeEarlier(all []Signature) string {
	last := all[len(all)-1]
	for _, s := range slices.Backward(all[:len(all)-1]) {
		switch {
		case !s.Intact:
			return " An earlier signature in it does not hold."
		case s.Fingerprint != last.Fingerprint:
			return fmt.Sprintf(" An earlier version of it was signed by %s%s.", quoteName(s.SignedBy), formatTime(s.SignedAt))
		}
	}
	return ""
}

func quoteName(name string) string {
	if name == "" {
		return "somebody without a name"
	}
	return fmt.Sprintf("%q", name)
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " on " + t.UTC().Format("2 January 2006 at 15:04 MST")
}

// unreadable is the verdict on what the reader refuses.
func unreadable(r io.ReaderAt, size int64, why *reject.Rejection) Verdict {
	switch why.Reason {
	case reject.Empty, reject.NotPDF:
		return Verdict{Sentence: "Not signed: the file is not a PDF."}
	case reject.Encrypted, reject.UnknownHandler:
		return Verdict{Sentence: "Not judged: the file is encrypted and does not open without a password or certificate."}
	case reject.TooComplex:
		return Verdict{Sentence: "Not judged: the file is built in a way that takes too long to read."}
	}
	if looksSigned(r, size) {
		return Verdict{Sentence: "Not valid: the file was signed once and is damaged or cut off."}
	}
	return Verdict{Sentence: "Not signed, and damaged: the file cannot be read as a PDF."}
}

func unsigned(r io.ReaderAt, size int64) Verdict {
	if looksSigned(r, size) {
		return Verdict{Sentence: "Not valid: the file has the remains of a signature that its form does not know any more."}
	}
	return Verdict{Sentence: "Not signed: the file is a PDF without a signature."}
}

// looksSigned reports whether the file's end looks like that of a signed file.
func looksSigned(r io.ReaderAt, size int64) bool {
	end := make([]byte, min(size, 128<<10))
	n, _ := r.ReadAt(end, size-int64(len(end))) // what cannot be read has no remains
	return bytes.Contains(end[:n], []byte("/ByteRange"))
}
