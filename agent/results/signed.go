package results

import (
	"context"
	"slices"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// SignedBytes returns the SHA-256 of what the signature of a certificate's verified PDF covers, of
// which an entry of a log is. A file that is not valid any more is Damaged.
func (w *Exporter) SignedBytes(ctx context.Context, c vault.Certificate) (sum [32]byte, err error) {
	v, err := w.Open(ctx, c)
	if err != nil {
		return sum, err
	}
	defer v.Close()
	found, err := pdf.Verify(readerAt{v}, c.Verified.Size())
	if err != nil {
		return sum, err
	}
	if !found.Valid {
		return sum, fault.Newf(fault.Damaged, "the verified PDF of certificate %s is not valid any more: %s", c.Reference, found.Sentence)
	}
	for _, s := range slices.Backward(found.Signatures) {
		if s.ReferenceID == c.Reference && len(s.Log.Digest) == len(sum) {
			return [32]byte(s.Log.Digest), nil
		}
	}
	return sum, fault.Newf(fault.Illegal, "the verified PDF of certificate %s has no signature with SHA-256", c.Reference)
}
