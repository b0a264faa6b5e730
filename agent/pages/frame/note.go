package frame

import "net/http"

// Note is a page that only says something: a heading and a sentence.
func (f *Frame) Note(w http.ResponseWriter, r *http.Request, status int, v View, name string) {
	title := v.T(name)
	f.Show(w, r, status, Page{View: v, Title: title}, f.note, struct{ Title, Text, Home string }{title, v.T(name + ".text"), v.Link("/")})
}

// Tell is Note on a page of whose pages these are.
func (f *Frame) Tell(w http.ResponseWriter, r *http.Request, status int, name string) {
	f.Note(w, r, status, f.Own(r), name)
}

// Broken writes down why a page could not be made, and says to its visitor that it
// could not.
func (f *Frame) Broken(w http.ResponseWriter, r *http.Request, err error) {
	if Gone(r) {
		return
	}
	f.Log.Error("a page failed", "path", redacted(r.URL.Path), "error", err)
	f.Tell(w, r, http.StatusInternalServerError, "broken")
}

// Gone tells whether a visitor has gone, which ends the work on the page; nobody
// reads the answer then.
func Gone(r *http.Request) bool { return r.Context().Err() != nil }
