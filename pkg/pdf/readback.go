package pdf

import (
	"context"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/readback"
)

// ReadBack reads the code of a verified document of size bytes at r back and
// compares it with want. Where pdftoppm and zbarimg are installed, the place is
// drawn and read as a phone would, so that whatever hides the code is found;
// elsewhere, the modules are read from the page's operators, and drawn is
// false. The error says what is wrong, as a sentence.
func ReadBack(ctx context.Context, r io.ReaderAt, size int64, at Place, want string) (drawn bool, err error) {
	place := readback.Place(at)
	if want, err = qr.Link(want); err != nil {
		return false, err
	}
	if readback.CanRender() {
		return true, readback.CheckRendered(ctx, r, size, place, want)
	}
	return false, readback.CheckContent(r, size, place, want)
}
