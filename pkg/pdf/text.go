package pdf

import (
	"io"

	"github.com/vecctl/vecctl/pkg/pdf/page"
	"github.com/vecctl/vecctl/pkg/pdf/xref"
)

// PageText is what the pages of a document say.
type PageText = page.Text

// ReadText reads the text of a PDF's first pages, of at most so many. Images and
// documents that cannot be read have none.
func ReadText(r io.ReaderAt, size int64, pages int) PageText {
	f, err := xref.Open(r, size)
	if err != nil {
		return PageText{}
	}
	defer f.Close()
	return page.ReadText(f, pages)
}
