package api

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/vecctl/vecctl/agent/api/disposition"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// download sends a verified PDF, whole or in part (RFC 9110, sections 13 and 14).
func (a *API) download(w http.ResponseWriter, r *http.Request, who Caller) error {
	c, err := a.find(r, who)
	if err != nil {
		return err
	}
	if c.Status == vault.Revoked {
		return fault.New(fault.NotFound, "Verified PDF not found. The certificate has been revoked.")
	}
	document, err := a.Open(r.Context(), c)
	if err != nil {
		return err
	}
	defer document.Close()
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", disposition.Attachment(a.FileName(c)))
	h.Set("ETag", `"`+c.Verified.SHA256+`"`)
	h.Set("Cache-Control", "private, no-cache")
	watched := &watchedReader{ReadSeeker: document}
	sent := &refusals{ResponseWriter: w}
	http.ServeContent(sent, withRange(r), "", c.ApprovedAt, watched)
	switch sent.refused {
	case http.StatusRequestedRangeNotSatisfiable:
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", c.Verified.Size()))
		err = refuse(sent.refused, "The document has no such range.")
	case http.StatusPreconditionFailed:
		err = refuse(sent.refused, "The document is another one than the request asks for.")
	}
	if err != nil {
		for _, name := range []string{"Content-Disposition", "Content-Length", "ETag", "Last-Modified"} {
			h.Del(name)
		}
		return err
	}
	if watched.err != nil {
		// The answer has begun; all that is left is to break it off.
		a.Log.Error("a download broke off", "request_id", requestID(r.Context()), "certificate", c.UUID, "error", watched.err)
		panic(http.ErrAbortHandler)
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
