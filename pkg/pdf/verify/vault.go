package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/vecctl/vecctl/pkg/pdf/reject"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// VaultSignature is a signature whose dictionary names a certificate, as those of vaults do.
// Anyone can write such a name.
type VaultSignature struct {
	ReferenceID string
	URL         string // of the certificate's page; may be empty
	Fingerprint string // SHA-256 of the signer's certificate, where the signature holds; else ""
	SHA256      string // of the file up to the end of what the signature covers: of the verified PDF as it was issued; else ""
}

// VaultMark stands in every file with such a signature, in plain bytes.
const VaultMark = "/VECD_Reference"

// VaultSignatures finds the signatures of vaults in a file, also those that an update took out
// of its form. It finds none in a file that cannot be read. The error is about reading.
func VaultSignatures(r io.ReaderAt, size int64) ([]VaultSignature, error) {
	f, err := xref.Open(r, size)
	if _, refused := errors.AsType[*reject.Rejection](err); refused {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	defer f.Close()
	d := document{r: r, size: size, f: f, revision: map[int64]*xref.File{size: f}}
	defer d.close()
	d.collect(f)
	ends := f.Revisions()
	for _, end := range ends[:min(len(ends), maxRevisions)] {
		if err := d.collectRemoved(end); err != nil {
			return nil, err
		}
	}
	return d.vaultSignatures()
}

func (d *document) vaultSignatures() ([]VaultSignature, error) {
	var all []*candidate
	for _, c := range d.signatures[:min(len(d.signatures), maxSignatures)] {
		c.locate()
		if err := c.verify(); err != nil {
			return nil, err
		}
		if c.result.ReferenceID != "" {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b *candidate) int { return int(min(max(a.result.end-b.result.end, -1), 1)) })
	found := make([]VaultSignature, len(all))
	sum, at := sha256.New(), int64(0)
	for i, c := range all {
		found[i] = VaultSignature{ReferenceID: c.result.ReferenceID, URL: c.result.URL}
		if c.result.Intact {
			found[i].Fingerprint = c.result.Fingerprint
		}
		if !c.ranged {
			continue
		}
		if _, err := io.Copy(sum, io.NewSectionReader(d.r, at, c.byteRange.end-at)); err != nil {
			return nil, fmt.Errorf("read the signed bytes: %w", err)
		}
		at, found[i].SHA256 = c.byteRange.end, hex.EncodeToString(sum.Sum(nil))
	}
	return found, nil
}
