package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/manifest/sheet"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// A verified PDF must not become the document of another certificate: its page would have two
// codes, each of which is genuine.

// markScanner finds out, while a document is read, whether a vault may have signed it.
type markScanner struct {
	io.Reader
	found bool
	end   []byte // the last bytes read, in which a mark may begin
}

// Read implements io.Reader.
func (s *markScanner) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if !s.found {
		s.scan(p[:n])
	}
	return n, err
}

func (s *markScanner) scan(b []byte) {
	mark := []byte(pdf.VaultMark)
	border := slices.Concat(s.end, b[:min(len(b), len(mark)-1)])
	s.found = bytes.Contains(border, mark) || bytes.Contains(b, mark)
	if len(b) >= len(mark)-1 {
		border = b
	}
	s.end = append(s.end[:0], border[max(0, len(border)-len(mark)+1):]...)
}

// checkNotIssued refuses a document that is a verified PDF of this vault, also one to which
// something was added. It returns the signature of another vault, where the document has one.
func (in *Intake) checkNotIssued(ctx context.Context, sum string, hasMark bool, r io.ReaderAt, size int64) (foreign *pdf.VaultSignature, err error) {
	held, err := in.Store.ByVerifiedSHA256(ctx, sum)
	if err != nil {
		return nil, fmt.Errorf("looking for issued certificates: %w", err)
	}
	if held[0] != nil {
		return nil, issuedError("the verified PDF", held[0].Reference)
	}
	if !hasMark {
		return nil, nil //nolint:nilnil // absence is no error here and has no value
	}
	return in.findVaultSignature(ctx, r, size)
}

// isBrokenSignature reports whether a document was refused because a signature in it does not
// hold.
func isBrokenSignature(err error) bool {
	r, ok := errors.AsType[*pdf.Rejection](err)
	return ok && r.Reason == pdf.BrokenSignature
}

// findVaultSignature refuses a document in which a signature of this vault is, and returns one
// of another vault.
func (in *Intake) findVaultSignature(ctx context.Context, r io.ReaderAt, size int64) (foreign *pdf.VaultSignature, err error) {
	signatures, err := pdf.VaultSignatures(r, size)
	if err != nil {
		return nil, err
	}
	for _, s := range signatures {
		switch own, err := in.ownReference(ctx, s); {
		case err != nil:
			return nil, fmt.Errorf("looking for issued certificates: %w", err)
		case own != "":
			return nil, issuedError("a copy of the verified PDF, saved again,", own)
		}
		foreign = &s
	}
	return foreign, nil
}

func issuedError(what, reference string) error {
	return fault.Newf(fault.Invalid, "this is %s of certificate %s, which was issued already; use the document that it was made of", what, reference)
}

// ownReference returns the reference ID of the certificate of this vault that a signature is
// of; "" for a signature of another vault.
func (in *Intake) ownReference(ctx context.Context, s pdf.VaultSignature) (string, error) {
	if s.SHA256 != "" {
		held, err := in.Store.ByVerifiedSHA256(ctx, s.SHA256)
		if err != nil {
			return "", err
		}
		if held[0] != nil {
			return held[0].Reference, nil
		}
	}
	c, err := in.Store.ByReference(ctx, s.ReferenceID)
	switch {
	case err == nil:
		return c.Reference, nil
	case !fault.Is(err, fault.NotFound):
		return "", err
	case s.Fingerprint != "" && in.Institutions != nil && in.Institutions.SignsWith(s.Fingerprint):
		return s.ReferenceID, nil // of a home that was restored since
	}
	return "", nil
}

// foreignSignatures warns about documents that another vault signed.
func foreignSignatures(all []*RowResult) []string {
	var signed []string
	for _, c := range all {
		if s := c.foreign; s != nil && c.Issuable() {
			signed = append(signed, fmt.Sprintf("row %d (file %s, %s)", c.Row.Number, c.file, describeForeign(*s)))
		}
	}
	if len(signed) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s a vault's signature already: %s", sheet.Plural(len(signed), "document carries", "documents carry"), someOf(signed))}
}

func describeForeign(s pdf.VaultSignature) string {
	text := "certificate " + sheet.Quote(s.ReferenceID)
	if address, _, ok := strings.Cut(s.URL, "/v/"); ok {
		text += " of " + sheet.Quote(address)
	}
	return text
}

// DescribeSigned says, for staff, what is to be known of a stored document that a vault signed;
// "" where none did.
func (u *Uploads) DescribeSigned(ctx context.Context, sum string) (string, error) {
	f, err := u.Blobs.Open(ctx, sum)
	if err != nil {
		return "", err
	}
	defer f.Close()
	scan := markScanner{Reader: f}
	size, err := io.Copy(io.Discard, &scan)
	if err != nil {
		return "", fmt.Errorf("reading a stored document: %w", err)
	}
	foreign, err := u.checkNotIssued(ctx, sum, scan.found, f, size)
	if fault.Is(err, fault.Invalid) {
		message, _ := fault.Message(err)
		return message, nil
	}
	if err != nil || foreign == nil {
		return "", err
	}
	return "this carries a vault's signature already: " + describeForeign(*foreign), nil
}
