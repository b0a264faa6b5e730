package api

import (
	"io"
	"net/http"

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
	sent := &rangeWriter{ResponseWriter: w}
	http.ServeContent(sent, r, "", c.ApprovedAt, watched)
	if sent.refused {
		h.Del("Content-Disposition")
		h.Del("ETag")
		return refuse(http.StatusRequestedRangeNotSatisfiable, "The document has no such range.")
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

// rangeWriter holds back the refusal of a range, so that it is answered as every
// other error is.
type rangeWriter struct {
	http.ResponseWriter
	refused bool
}

func (w *rangeWriter) WriteHeader(status int) {
	if status == http.StatusRequestedRangeNotSatisfiable {
		w.refused = true
		return
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *rangeWriter) Write(p []byte) (int, error) {
	if w.refused {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}
