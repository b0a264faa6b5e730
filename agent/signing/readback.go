package signing

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/fsutil"
	"github.com/vecctl/vecctl/pkg/pdf"
)

// unreadableCode is a code that could not be read back from its page.
type unreadableCode struct{ cause error }

func (u unreadableCode) Error() string { return u.cause.Error() }

// readBackTimeout bounds the programs that draw a page and read its code.
const readBackTimeout = 30 * time.Second

// readBackCode reads the code of a document that was just sealed back from its page.
func readBackCode(ctx context.Context, f io.ReaderAt, size int64, tail pdf.Update, want string) error {
	patience, cancel := context.WithTimeout(ctx, readBackTimeout)
	defer cancel()
	whole := concatenated{document: f, size: size, update: tail.Bytes}
	if _, err := pdf.ReadBack(patience, whole, size+int64(len(tail.Bytes)), tail.Place, want); err != nil {
		if fault.Is(err, fault.Full) {
			return err
		}
		if fsutil.TooManyOpenFiles(err) {
			return fault.Wrap(fault.Full, err, "too many files are open at once to read a code back")
		}
		if ctx.Err() != nil {
			return ctx.Err() // the work was broken off, which says nothing of the code
		}
		return unreadableCode{fmt.Errorf("the code could not be read back from the page: %w", err)}
	}
	return nil
}

// concatenated is a document with its tail behind it.
type concatenated struct {
	document io.ReaderAt
	size     int64
	update   []byte
}

func (j concatenated) ReadAt(p []byte, at int64) (int, error) {
	n := 0
	if at < j.size {
		read, err := j.document.ReadAt(p[:min(int64(len(p)), j.size-at)], at)
		if n = read; err != nil && err != io.EOF {
			return n, err
		}
	}
	if rest := at + int64(n) - j.size; n < len(p) && rest >= 0 && rest < int64(len(j.update)) {
		n += copy(p[n:], j.update[rest:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
