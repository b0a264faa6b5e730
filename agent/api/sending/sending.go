// Package sending answers with a document, whole or in part (RFC 9110, sections 13
// and 14).
package sending

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/vecctl/vecctl/agent/api/disposition"
)

// Document is a PDF that is sent.
type Document struct {
	io.ReadSeeker
	Name   string
	SHA256 string // in hexadecimal
	Size   int64  // bytes
	At     time.Time
}

// What a request asks for in vain. Nothing has been answered then.
var (
	ErrRange   = errors.New("the document has no such range")
	ErrAnother = errors.New("the document is another one than the request asks for")
)

// Broken is a document that could not be read to its end, after the answer had begun.
type Broken struct{ Cause error }

func (b *Broken) Error() string { return "the document broke off: " + b.Cause.Error() }

// Unwrap is the cause.
func (b *Broken) Unwrap() error { return b.Cause }

// Send answers a request with a document.
func Send(w http.ResponseWriter, r *http.Request, d Document) error {
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", disposition.Attachment(d.Name))
	h.Set("ETag", `"`+d.SHA256+`"`)
	h.Set("Cache-Control", "private, no-cache")
	watched := &watchedReader{ReadSeeker: d}
	sent := &refusals{ResponseWriter: w}
	http.ServeContent(sent, withRange(r), "", d.At, watched)
	switch {
	case sent.refused != 0:
		for _, name := range []string{"Content-Disposition", "Content-Length", "ETag", "Last-Modified"} {
			h.Del(name)
		}
		if sent.refused == http.StatusPreconditionFailed {
			return ErrAnother
		}
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", d.Size))
		return ErrRange
	case watched.err != nil:
		return &Broken{watched.err}
	}
	return nil
}

// watchedReader remembers that a document could not be read.
type watchedReader struct {
	io.ReadSeeker
	err error
}

func (r *watchedReader) Read(p []byte) (int, error) {
	n, err := r.ReadSeeker.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // a reader's own end
		r.err = err
	}
	return n, err
}

// withRange is a request without a Range that is to be passed over: one of another
// method than GET or in another unit than bytes (RFC 9110, section 14.2).
func withRange(r *http.Request) *http.Request {
	if r.Method == http.MethodGet && strings.HasPrefix(r.Header.Get("Range"), "bytes=") {
		return r
	}
	whole := r.WithContext(r.Context())
	whole.Header = r.Header.Clone()
	whole.Header.Del("Range")
	return whole
}

// refusals holds back what a request is refused with, so that it is answered as
// every other error is.
type refusals struct {
	http.ResponseWriter
	refused int // the status; 0 where the document is sent
}

func (w *refusals) WriteHeader(status int) {
	switch {
	case status == http.StatusRequestedRangeNotSatisfiable, status == http.StatusPreconditionFailed:
		w.refused = status
	case status == http.StatusPartialContent && w.Header().Get("Content-Length") == "0":
		w.refused = http.StatusRequestedRangeNotSatisfiable // the last 0 bytes
	default:
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *refusals) Write(p []byte) (int, error) {
	if w.refused != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
