package readback

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/vecctl/vecctl/pkg/fault"
)

// previewSide is the longer side of a preview in pixels, and maxPreview the most
// bytes that it may have.
const (
	previewSide = 1400
	maxPreview  = 8 << 20
)

// CanPreview reports whether the program is here that draws a page: pdftoppm of
// poppler.
func CanPreview() bool {
	_, err := exec.LookPath("pdftoppm")
	return err == nil
}

// Preview draws the first page of a document as a PNG.
func Preview(ctx context.Context, r io.ReaderAt, size int64) ([]byte, error) {
	dir, err := os.MkdirTemp("", "preview")
	if err != nil {
		return nil, fmt.Errorf("draw a page: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // in the system's temporary folder, which is swept
	file, drawn := filepath.Join(dir, "page.pdf"), filepath.Join(dir, "page")
	if err := saveFile(file, r, size); err != nil {
		return nil, fmt.Errorf("draw a page: %w", err)
	}
	if _, err := runBounded(ctx, "pdftoppm", "-png", "-singlefile", "-f", "1", "-l", "1", "-scale-to", strconv.Itoa(previewSide), file, drawn); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The page cannot be drawn.")
	}
	f, err := os.Open(drawn + ".png")
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The page cannot be drawn.")
	}
	defer f.Close()
	picture, err := io.ReadAll(io.LimitReader(f, maxPreview+1))
	if err == nil && len(picture) > maxPreview {
		err = fault.New(fault.Invalid, "The page's picture is too large.")
	}
	return picture, err
}
