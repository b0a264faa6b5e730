package layout

import "net/http"

// RenderMessageFor is a page that only says something: a heading and a sentence.
func (f *Layout) RenderMessageFor(w http.ResponseWriter, r *http.Request, status int, v PageContext, name string) {
	title := v.T(name)
	f.RenderPage(w, r, status, Page{PageContext: v, Title: title}, f.messageTemplate, struct{ Title, Text, Home string }{title, v.T(name + ".text"), v.Link("/")})
}

// RenderMessage is RenderMessageFor on a page of the primary institution.
func (f *Layout) RenderMessage(w http.ResponseWriter, r *http.Request, status int, name string) {
	f.RenderMessageFor(w, r, status, f.CurrentPageContext(r), name)
}

// RenderError writes down why a page could not be made, and says to its visitor that it
// could not.
func (f *Layout) RenderError(w http.ResponseWriter, r *http.Request, err error) {
	if Interrupted(w, r) {
		return
	}
	f.Log.Error("a page failed", "path", redacted(r.URL.Path), "error", err)
	f.RenderMessage(w, r, http.StatusInternalServerError, "broken")
}

// Interrupted reports whether a request ended early, which ends the work on the page. The visitor
// has gone, or the agent is stopping: then the visitor still waits, so it answers, and never with
// an empty page of status 200.
func Interrupted(w http.ResponseWriter, r *http.Request) bool {
	if r.Context().Err() == nil {
		return false
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, "The request ended early. Try again.", http.StatusServiceUnavailable)
	return true
}
