package web

import (
	"net/http"
	"sync"

	"github.com/vecctl/vecctl/agent/web/layout"
)

// servePersonalData sends all that is known of the visitor, as a zip. It is a form's answer, so
// that another site cannot have a browser ask for it.
func (p *accountPages) servePersonalData(w http.ResponseWriter, r *http.Request) {
	v := p.Layout.CurrentPageContext(r)
	who, ok := p.requireVisitor(w, r, v)
	if !ok {
		return
	}
	// Everything is read for it, so one is gathered at a time. Who reads it slowly keeps nobody
	// waiting.
	if !p.exporting.TryLock() {
		w.Header().Set("Retry-After", "10")
		p.Layout.RenderMessage(w, r, http.StatusTooManyRequests, "busy")
		return
	}
	out := &downloadWriter{w: w, gathering: &p.exporting}
	defer out.release()
	switch err := p.PersonalData.ExportAccount(r.Context(), who, out); {
	case err != nil && !out.begun:
		p.Layout.RenderError(w, r, err)
	case err != nil:
		p.Log.Error("a download of personal data failed", "error", err)
		panic(http.ErrAbortHandler)
	}
}

// downloadWriter sends the headers of a zip before its first bytes.
type downloadWriter struct {
	w         http.ResponseWriter
	gathering *sync.Mutex // until the first bytes; then nil
	begun     bool
}

func (d *downloadWriter) release() {
	if d.gathering != nil {
		d.gathering.Unlock()
		d.gathering = nil
	}
}

func (d *downloadWriter) Write(p []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.release()
		layout.SetFileHeaders(d.w, "application/zip", "private, no-store")
		d.w.Header().Set("Content-Disposition", `attachment; filename="personal-data.zip"`)
	}
	return d.w.Write(p)
}
