package api

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/vecctl/vecctl/agent/badges"
	"github.com/vecctl/vecctl/pkg/fault"
)

// badge sends a certificate as an Open Badges 3.0 credential, in the form that is asked for.
func (a *API) badge(w http.ResponseWriter, r *http.Request, who Caller) error {
	form := cmp.Or(r.URL.Query().Get("format"), "json")
	if !slices.Contains(badges.Forms(), form) {
		return fault.InvalidFields([]fault.Field{{Name: "format", Message: "The selected format is invalid."}})
	}
	c, err := a.find(r, who)
	if err != nil {
		return err
	}
	file, err := a.Badges.File(r.Context(), c, form)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", badges.ContentType(form))
	h.Set("Content-Disposition", attachmentDisposition(c.Reference+"."+form))
	h.Set("Content-Length", strconv.Itoa(len(file)))
	h.Set("Cache-Control", "private, no-cache")
	_, _ = w.Write(file) //nolint:gosec // JSON, a token or a picture, never HTML; a client who has gone does not wait for it
	return nil
}
