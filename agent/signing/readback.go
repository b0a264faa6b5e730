package signing

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
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
	_, err := pdf.ReadBack(patience, whole, size+int64(len(tail.Bytes)), tail.Place, want)
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the work was broken off, which says nothing of the code
	}
	return judgeReadBack(err)
}

// judgeReadBack tells what is wrong with the page from what says nothing of it: a disk that failed,
// or a program that was ended from outside, as a service manager ends all of a service. That is
// tried again.
func judgeReadBack(err error) error {
	if err == nil || fault.Is(err, fault.Full) {
		return err
	}
	if fsutil.TooManyOpenFiles(err) {
		return fault.Wrap(fault.Full, err, "too many files are open at once to read a code back")
	}
	if code, ok := errors.AsType[syscall.Errno](err); ok {
		return fsutil.DiskError(code, "reading a code back from the page")
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && endedFromOutside(exit) {
		return fmt.Errorf("the program that reads a code back was ended: %w", exit)
	}
	return unreadableCode{fmt.Errorf("the code could not be read back from the page: %w", err)}
}

// endedFromOutside reports whether a program was asked to end. Its limits of time and memory end it
// with other signals.
func endedFromOutside(exit *exec.ExitError) bool {
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && (status.Signal() == syscall.SIGTERM || status.Signal() == syscall.SIGINT || status.Signal() == syscall.SIGHUP)
}

// concatenated is a document with its tail behind it.
type concatenated struct {
	document io.ReaderAt
	size     int64
	update   []byte
}

// length is the whole file's.
func (j concatenated) length() int64 { return j.size + int64(len(j.update)) }

// ReadAt reads from both as if they were one.
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
