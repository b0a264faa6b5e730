package pdf

import (
	"context"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/readback"
)

// CanPreview reports whether pages can be drawn here; poppler's pdftoppm does it.
func CanPreview() bool { return readback.CanPreview() }

// Preview draws the first page of a document of size bytes at r as a PNG of at
// most 1,400 pixels a side, with limits of time and memory.
func Preview(ctx context.Context, r io.ReaderAt, size int64) ([]byte, error) {
	return readback.Preview(ctx, r, size)
}
