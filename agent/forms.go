package agent

import (
	"errors"
	"net/http"

	"github.com/vecctl/vecctl/agent/api/body"
	"github.com/vecctl/vecctl/agent/pages/apply"
)

// readForm reads a form of the pages as the documented API reads its own: streamed,
// with bounds, and whole or not at all.
func readForm(w http.ResponseWriter, r *http.Request, most int64, into apply.Fields) error {
	defer body.Bound(w, r, most, body.DefaultPace())()
	handled, err := body.ReadForm(r, into)
	switch {
	case errors.Is(err, body.ErrTooLarge):
		return apply.ErrTooLarge
	case err == nil && !handled, errors.Is(err, body.ErrType), errors.Is(err, body.ErrMalformed), errors.Is(err, body.ErrSlow):
		return apply.ErrForm
	}
	return err
}
