package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// download sends a verified PDF, whole or in part.
func (a *API) download(w http.ResponseWriter, r *http.Request, who Caller) error {
	c, err := a.find(r, who)
	if err != nil {
		return err
	}
	if c.Status == vault.Revoked {
		return fault.New(fault.NotFound, "Verified PDF not found. The certificate has been revoked.")
	}
	document, err := a.Documents.Open(r.Context(), c)
	if err != nil {
		return err
	}
	defer document.Close()
	err = serveFile(w, r, servedFile{ReadSeeker: document, Name: c.VerifiedFileName(),
		SHA256: c.Verified.SHA256, Size: c.Verified.Size(), ModTime: c.ApprovedAt})
	if _, ok := errors.AsType[*ReadError](err); ok {
		// The answer has begun; all that is left is to break it off.
		a.Log.Error("a download broke off", "request_id", requestID(r.Context()), "certificate", c.UUID, "error", err)
		panic(http.ErrAbortHandler)
	}
	switch {
	case errors.Is(err, errRange):
		return newStatusError(http.StatusRequestedRangeNotSatisfiable, "The document has no such range.")
	case errors.Is(err, errPrecondition):
		return newStatusError(http.StatusPreconditionFailed, "The document is another one than the request asks for.")
	}
	return err
}

// servedFile is a PDF that is sent.
type servedFile struct {
	io.ReadSeeker
	Name    string
	SHA256  string // in hexadecimal
	Size    int64  // bytes
	ModTime time.Time
}

// What a request asks for in vain. Nothing has been answered then.
var (
	errRange        = errors.New("the document has no such range")
	errPrecondition = errors.New("the document is another one than the request asks for")
)

// ReadError is a document that could not be read to its end, after the answer had begun.
type ReadError struct{ Cause error }

func (b *ReadError) Error() string { return "the document broke off: " + b.Cause.Error() }

// Unwrap is the cause.
func (b *ReadError) Unwrap() error { return b.Cause }

// serveFile answers a request with a document.
func serveFile(w http.ResponseWriter, r *http.Request, d servedFile) error {
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", attachmentDisposition(d.Name))
	h.Set("ETag", `"`+d.SHA256+`"`)
	h.Set("Cache-Control", "private, no-cache")
	reader := &watchedReader{ReadSeeker: d}
	interceptor := &statusInterceptor{ResponseWriter: w}
	http.ServeContent(interceptor, dropIgnoredRange(r), "", d.ModTime, reader)
	switch {
	case interceptor.status != 0:
		for _, name := range []string{"Content-Disposition", "Content-Length", "ETag", "Last-Modified"} {
			h.Del(name)
		}
		if interceptor.status == http.StatusPreconditionFailed {
			return errPrecondition
		}
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", d.Size))
		return errRange
	case reader.err != nil:
		return &ReadError{reader.err}
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

// dropIgnoredRange is a request without a Range that is to be passed over: one of another
// method than GET or in another unit than bytes (RFC 9110, section 14.2).
func dropIgnoredRange(r *http.Request) *http.Request {
	if r.Method == http.MethodGet && strings.HasPrefix(r.Header.Get("Range"), "bytes=") {
		return r
	}
	whole := r.WithContext(r.Context())
	whole.Header = r.Header.Clone()
	whole.Header.Del("Range")
	return whole
}

// statusInterceptor holds back what a request is refused with, so that it is answered as
// every other error is.
type statusInterceptor struct {
	http.ResponseWriter
	status int // the status; 0 where the document is sent
}

func (w *statusInterceptor) WriteHeader(status int) {
	switch {
	case status == http.StatusRequestedRangeNotSatisfiable, status == http.StatusPreconditionFailed:
		w.status = status
	case status == http.StatusPartialContent && w.Header().Get("Content-Length") == "0":
		w.status = http.StatusRequestedRangeNotSatisfiable // the last 0 bytes
	default:
		w.ResponseWriter.WriteHeader(status)
	}
}

func (w *statusInterceptor) Write(p []byte) (int, error) {
	if w.status != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
