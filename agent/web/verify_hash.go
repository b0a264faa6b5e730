package web

import (
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"

	"github.com/vecctl/vecctl/agent/httpserver"
	"github.com/vecctl/vecctl/agent/web/layout"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault"
)

// maxHashesPerMinute is how often one caller may ask by a file's hash.
const maxHashesPerMinute = 120

// parseSHA256 reads a SHA-256 in hexadecimal, as tools print it: in either case, alone or before
// a file's name.
func parseSHA256(text string) (sum string, ok bool) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return "", false
	}
	sum = strings.ToLower(strings.TrimPrefix(words[0], `\`)) // sha256sum marks odd names so
	b, err := hex.DecodeString(sum)
	return sum, err == nil && len(b) == 32
}

// serveByHash says for programs, and for the script of the pages, which certificate's verified PDF
// has a SHA-256.
func (p *verifyPages) serveByHash(w http.ResponseWriter, r *http.Request) {
	if !p.perCaller.Allow(httpserver.CallerKey(r), p.Layout.Now()) {
		httpserver.SetRetryAfter(w, p.perCaller.Left(p.Layout.Now()))
		writeMessage(w, http.StatusTooManyRequests, "Too many requests. Try again in a minute.")
		return
	}
	sum, ok := parseSHA256(r.PathValue("sha256"))
	if !ok {
		writeMessage(w, http.StatusBadRequest, "A SHA-256 has 64 hexadecimal digits.")
		return
	}
	found, err := p.Store.ByVerifiedSHA256(r.Context(), sum)
	f := verifyResult{validity: vault.ValidityUnknown, institution: p.Layout.Institutions.Primary()}
	if err == nil && found[0] != nil {
		f, err = p.describe(r.Context(), *found[0])
	}
	switch {
	case err != nil && layout.Interrupted(w, r):
	case err != nil:
		p.Log.Error("looking a file up failed", "error", err)
		p.writeJSON(w, http.StatusInternalServerError, "", f, err)
	case f.validity == vault.ValidityUnknown:
		answer := p.toAPI("", f)
		answer.SHA256, answer.Message = &sum, "No certificate of this vault has a verified PDF with this SHA-256."
		setJSONHeaders(w.Header())
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(answer) // a client who has gone does not wait for it
	default:
		p.writeJSON(w, http.StatusOK, f.certificate.Reference, f, nil)
	}
}

// writeMessage answers a program with a message instead of a certificate.
func writeMessage(w http.ResponseWriter, status int, message string) {
	setJSONHeaders(w.Header())
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message}) // a client who has gone does not wait for it
}

// writeFailure answers a program that something cannot be had: a log, or a badge.
func writeFailure(w http.ResponseWriter, r *http.Request, log *slog.Logger, what string, err error) {
	switch {
	case layout.Interrupted(w, r):
	case fault.Is(err, fault.NotFound):
		text, _ := fault.Message(err)
		writeMessage(w, http.StatusNotFound, text)
	default:
		log.Error("an answer for a program could not be made", "of", what, "error", err)
		writeMessage(w, http.StatusInternalServerError, "The "+what+" cannot be read at present.")
	}
}

// searchByHash leads to the page of the certificate whose verified PDF has a SHA-256.
func (p *verifyPages) searchByHash(w http.ResponseWriter, r *http.Request, v layout.PageContext, sum string) {
	if !p.perCaller.Allow(httpserver.CallerKey(r), p.Layout.Now()) {
		httpserver.SetRetryAfter(w, p.perCaller.Left(p.Layout.Now()))
		p.Layout.RenderMessage(w, r, http.StatusTooManyRequests, "busy")
		return
	}
	found, err := p.Store.ByVerifiedSHA256(r.Context(), sum)
	switch {
	case err != nil && layout.Interrupted(w, r):
	case err != nil:
		p.Layout.RenderError(w, r, err)
	case found[0] == nil:
		p.renderHome(w, r, http.StatusNotFound, v, sum)
	default:
		http.Redirect(w, r, v.Link("/v/"+found[0].Reference), http.StatusSeeOther)
	}
}
