package pdf

import (
	"context"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/scan"
)

// ScanBack reads the code of a verified document of size bytes at r back and
// compares it with want. Where pdftoppm and zbarimg are installed, the place is
// drawn and read as a phone would, so that whatever hides the code is found;
// elsewhere, the modules are read from the page's operators, and drawn is
// false. The error says what is wrong, as a sentence.
func ScanBack(ctx context.Context, r io.ReaderAt, size int64, at Place, want string) (drawn bool, err error) {
	place := scan.Place(at)
	if want, err = qr.Link(want); err != nil {
		return false, err
	}
	if scan.Drawn() {
		return true, scan.Picture(ctx, r, size, place, want)
	}
	return false, scan.Matrix(r, size, place, want)
}
