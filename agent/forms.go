package agent

import (
	"errors"
	"net/http"

	"github.com/vecctl/vecctl/agent/api/form"
	"github.com/vecctl/vecctl/agent/web"
)

// readForm reads a form of the pages as the documented API reads its own: streamed,
// with bounds, and whole or not at all.
func readForm(w http.ResponseWriter, r *http.Request, most int64, into web.FormHandler) error {
	defer form.LimitBody(w, r, most, form.DefaultReadRate())()
	handled, err := form.ReadForm(r, into)
	switch {
	case errors.Is(err, form.ErrBodyTooLarge):
		return web.ErrFormTooLarge
	case err == nil && !handled, errors.Is(err, form.ErrContentType), errors.Is(err, form.ErrMalformed), errors.Is(err, form.ErrTooSlow):
		return web.ErrMalformedForm
	}
	return err
}
