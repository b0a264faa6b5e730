package web

import (
	"net/http"
	"strings"

	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/pdf/qr"
)

// qrPicture is how large the picture of a QR code is, in pixels.
const qrPicture = 512

// serveQRCode draws the QR code of a certificate that was issued, for programs that show it beside
// something else. It leads where the code of the verified PDF leads.
func (p *verifyPages) serveQRCode(w http.ResponseWriter, r *http.Request) {
	if !p.perCaller.Allow(httpserver.CallerKey(r), p.Layout.Now()) {
		httpserver.SetRetryAfter(w, p.perCaller.Left(p.Layout.Now()))
		writeMessage(w, http.StatusTooManyRequests, "Too many requests. Try again in a minute.")
		return
	}
	reference, ok := strings.CutSuffix(r.PathValue("name"), ".png")
	c, err := p.Store.ByReference(r.Context(), reference)
	if !ok || fault.Is(err, fault.NotFound) || err == nil && c.Verified == nil {
		writeMessage(w, http.StatusNotFound, "No certificate that was issued has this reference ID.")
		return
	}
	var picture []byte
	if err == nil {
		picture, err = qr.PNG(p.Institutions.Links().Verify(c.Reference), qrPicture)
	}
	switch {
	case err != nil && layout.Interrupted(w, r):
	case err != nil:
		p.Log.Error("drawing a QR code failed", "reference", c.Reference, "error", err)
		writeMessage(w, http.StatusInternalServerError, "The QR code could not be drawn. The agent's log says why.")
	default:
		layout.SetFileHeaders(w, "image/png", "public, max-age=86400")
		_, _ = w.Write(picture) // a client who has gone does not wait for it
	}
}
