package process

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// unreadable is a code that could not be read back from its page.
type unreadable struct{ cause error }

func (u unreadable) Error() string { return u.cause.Error() }

// scanTime bounds the programs that draw a page and read its code.
const scanTime = 30 * time.Second

// scan reads the code of a document that was just sealed back from its page.
func scan(ctx context.Context, f *os.File, size int64, tail pdf.Update, want string) error {
	patience, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	whole := joined{document: f, size: size, tail: tail.Bytes}
	if _, err := pdf.ReadBack(patience, whole, size+int64(len(tail.Bytes)), tail.Place, want); err != nil {
		if fault.Is(err, fault.Full) {
			return err
		}
		if blob.TooManyOpenFiles(err) {
			return fault.Wrap(fault.Full, err, "too many files are open at once to read a code back")
		}
		if ctx.Err() != nil {
			return ctx.Err() // the work was broken off, which says nothing of the code
		}
		return unreadable{fmt.Errorf("the code could not be read back from the page: %w", err)}
	}
	return nil
}

// joined is a document with its tail behind it.
type joined struct {
	document io.ReaderAt
	size     int64
	tail     []byte
}

func (j joined) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	if at < j.size {
		read, err := j.document.ReadAt(p[:min(int64(len(p)), j.size-at)], at)
		if n = read; err != nil && err != io.EOF {
			return n, err
		}
	}
	if rest := at + int64(n) - j.size; n < len(p) && rest >= 0 && rest < int64(len(j.tail)) {
		n += copy(p[n:], j.tail[rest:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
