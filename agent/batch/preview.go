package batch

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/vecctl/vecctl/agent/intake"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// maxPreviews is how many documents a preview has at most.
const maxPreviews = 10

// preview writes the first documents that would be made, stamped with a key that
// is thrown away: they look as issued ones do, and cannot be taken for them.
func (r *run) preview() error {
	if r.request.Preview == "" || !r.request.DryRun {
		return nil
	}
	if err := makeResultsFolder(r.request.Preview, 0o755); err != nil {
		return err
	}
	key, cert, err := pdf.NewSelfSigned(rand.Reader, "vecctl preview, not issued", r.Now(), 1)
	if err != nil {
		return err
	}
	signer, err := pdf.LoadSigner(key, cert)
	if err != nil {
		return err
	}
	seal := pdf.NewStamper(signer)
	written := 0
	for _, c := range r.candidates {
		if c.Renderer == nil || len(c.Problems) > 0 || written == maxPreviews {
			continue
		}
		page, err := r.previewOf(seal, c)
		if err != nil {
			return fault.At(fmt.Sprintf("row %d", c.Row.Number), err)
		}
		name := filepath.Join(r.request.Preview, fmt.Sprintf("row-%d.pdf", c.Row.Number))
		if err := os.WriteFile(name, page, 0o644); err != nil { //nolint:gosec // as readable as what the person makes
			return fault.Wrap(fault.Invalid, fsutil.DiskError(err, "writing a preview"), fmt.Sprintf("the preview %s cannot be written", name))
		}
		written++
	}
	return nil
}

func (r *run) previewOf(seal *pdf.Stamper, c *intake.RowResult) ([]byte, error) {
	document, err := c.Document()
	if err != nil {
		return nil, err
	}
	p := c.Draft.Placement
	m, err := pdf.StampAt(p.At, p.Page, p.SizeMM, p.MarginMM)
	if err != nil {
		return nil, err
	}
	m.URL, m.Caption, m.SignedAt = r.Institutions.Links().Verify(sampleReference), sampleReference, r.Now()
	tail, err := seal.Stamp(pdf.Source{R: bytes.NewReader(document), Size: int64(len(document))}, m)
	if err != nil {
		return nil, err
	}
	return slices.Concat(document, tail.Bytes), nil
}

// sampleReference is printed under the code where nothing is issued.
const sampleReference = "VEC-IC-00000000000000000"
