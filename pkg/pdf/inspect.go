package pdf

import (
	"errors"
	"fmt"
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/image"
	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
	"github.com/vecctl/vecctl/pkg/pdf/sandbox"
	"github.com/vecctl/vecctl/pkg/pdf/stamp"
	"github.com/vecctl/vecctl/pkg/pdf/verify"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// Inspect reports whether a document can be stamped, without stamping it: the
// look that is taken before a certificate is issued. Of an image it reads type
// and dimensions only. A document that cannot be stamped is refused with a
// *Rejection.
func Inspect(r io.ReaderAt, size int64) (Info, error) { return inspect(r, size, false) }

// Inspect is the function of that name for a stamper with options: it takes what
// the stamper takes.
func (s *Stamper) Inspect(r io.ReaderAt, size int64) (Info, error) {
	return inspect(r, size, s.override)
}

func inspect(r io.ReaderAt, size int64, mayOverride bool) (Info, error) {
	format, err := sniff(r, size)
	switch {
	case err != nil:
		return Info{}, err
	case format != FormatPDF:
		return inspectImage(r, size, format)
	}
	f, err := xref.Open(r, size)
	if err != nil {
		return Info{}, err
	}
	defer f.Close()
	s, err := analyze(f, 1, mayOverride)
	if err != nil {
		return Info{}, err
	}
	if s.signed || verify.WasSigned(r, f) {
		if err := checkEarlier(r, size); err != nil {
			return Info{}, err
		}
	}
	// A code of the usual length must fit the page.
	m := Stamp{URL: "-"}
	if err := m.check(); err != nil {
		return Info{}, err
	}
	if _, err := stamp.NewLayout(s.page, qr.NewCode(typicalModules), m.spec()); err != nil {
		return Info{}, err
	}
	return s.info(), nil
}

// sniff finds out what a document is.
func sniff(r io.ReaderAt, size int64) (Format, error) {
	head := make([]byte, min(size, SniffLen))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the document's beginning: %w", err)
	}
	return SniffFormat(head)
}

// info is what is known of the document.
func (s *analysis) info() Info {
	w, h := s.page.VisibleSize()
	return Info{Format: FormatPDF, Pages: page.Count(s.f), WidthMM: w * 25.4 / 72, HeightMM: h * 25.4 / 72,
		Encrypted: s.f.Crypt != nil, Signed: s.signed, Repaired: s.f.Repaired}
}

// typicalModules is the side of a code that holds a link of 90 upper-case
// characters.
const typicalModules = 33

func inspectImage(r io.ReaderAt, size int64, format Format) (Info, error) {
	d, err := image.Measure(r, size)
	if err != nil {
		return Info{}, err
	}
	return Info{Format: format, Pages: 1, WidthMM: d.WidthMM, HeightMM: d.HeightMM}, nil
}

// FromImage writes the one-page PDF of a JPEG or PNG to w. The same image
// always gives the same bytes. It hands pixels to libraries in this process;
// for images that anyone may send, use a Sandbox.
func FromImage(w io.Writer, r io.ReaderAt, size int64) error { return image.ToPDF(w, r, size) }

// Sandbox does what FromImage does in a process of its own that is bounded in
// memory and time. Its program calls ServeCage when InCage tells it so.
type Sandbox = sandbox.Sandbox

// NewSandbox makes a sandbox of the running program, which was started as name.
func NewSandbox(name string) (*Sandbox, error) { return sandbox.New(name) }

// InSandbox reports whether a program's arguments ask it to serve as a sandbox.
func InSandbox(args []string) bool { return len(args) == 2 && args[1] == sandbox.Arg }

// ServeSandbox does a sandbox's work with the process's own streams, and returns the
// exit code.
func ServeSandbox(in io.Reader, out, complaint io.Writer) int {
	return sandbox.Serve(in, out, complaint)
}
