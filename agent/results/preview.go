package results

import (
	"context"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf"
	"github.com/vecctl/vecctl/pkg/vault"
)

// RenderPreview makes a picture of the first page of a certificate's verified PDF.
func (w *Exporter) RenderPreview(ctx context.Context, c vault.Certificate) ([]byte, error) {
	v, err := w.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	return pdf.Preview(ctx, readerAt{v}, c.Verified.Size())
}

// readerAt reads a stream that can be entered anywhere, for one reader.
type readerAt struct{ io.ReadSeeker }

func (r readerAt) ReadAt(p []byte, at int64) (int, error) {
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(r, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}
