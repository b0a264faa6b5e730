package api

import (
	"errors"
	"net/http"

	"github.com/vecctl/vecctl/agent/api/sending"
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
	document, err := a.Open(r.Context(), c)
	if err != nil {
		return err
	}
	defer document.Close()
	err = sending.Send(w, r, sending.Document{ReadSeeker: document, Name: a.FileName(c),
		SHA256: c.Verified.SHA256, Size: c.Verified.Size(), At: c.ApprovedAt})
	if _, ok := errors.AsType[*sending.Broken](err); ok {
		// The answer has begun; all that is left is to break it off.
		a.Log.Error("a download broke off", "request_id", requestID(r.Context()), "certificate", c.UUID, "error", err)
		panic(http.ErrAbortHandler)
	}
	switch {
	case errors.Is(err, sending.ErrRange):
		return refuse(http.StatusRequestedRangeNotSatisfiable, "The document has no such range.")
	case errors.Is(err, sending.ErrAnother):
		return refuse(http.StatusPreconditionFailed, "The document is another one than the request asks for.")
	}
	return err
}
