package router

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// mark adds a word to the answer's trail on the way in.
func mark(word string) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Trail", word)
			next.ServeHTTP(w, r)
		})
	}
}

func TestMiddlewareIsInOrder(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	routes := Routes{}
	routes.HandleFunc("GET /a/{name}", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.PathValue("name")) })
	routes.Register(mux, mark("one"), mark("two"))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/a/x", nil))
	if got := w.Header().Values("Trail"); len(got) != 2 || got[0] != "one" || got[1] != "two" || w.Body.String() != "x" {
		t.Errorf("%v, %q", got, w.Body)
	}
}

// What is not found below a path is answered as by a mux that has that path alone.
func TestNotFoundAnswersAsAMuxDoes(t *testing.T) {
	t.Parallel()
	routes := Routes{}
	for _, pattern := range []string{"GET /a/x", "POST /a/x", "POST /a/y", "DELETE /a/{name}", "GET /a/s/{name}"} {
		routes.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, pattern) })
	}
	alone, shared := http.NewServeMux(), http.NewServeMux()
	routes.Register(alone)
	routes.Register(shared)
	shared.Handle("/a/", NotFound(shared))
	shared.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, path := range []string{"/a/x", "/a/y", "/a/z", "/a/", "/a/s", "/a/s/", "/a/s/q", "/a/x/y"} {
		for _, method := range append(methods(), "BREW") {
			want, got := httptest.NewRecorder(), httptest.NewRecorder()
			alone.ServeHTTP(want, httptest.NewRequest(method, path, nil))
			shared.ServeHTTP(got, httptest.NewRequest(method, path, nil))
			if got.Code != want.Code || got.Header().Get("Allow") != want.Header().Get("Allow") || got.Body.String() != want.Body.String() {
				t.Errorf("%s %s: %d %v %q, want %d %v %q", method, path, got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
			}
		}
	}
}
