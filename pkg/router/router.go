// Package router gathers the routes of a listener for its one http.ServeMux.
package router

import (
	"net/http"
	"slices"
	"strings"
)

// Middleware is a step on the way to a handler.
type Middleware = func(http.Handler) http.Handler

// Chain puts middleware around a handler. The first of it is the outermost.
func Chain(h http.Handler, around ...Middleware) http.Handler {
	for _, one := range slices.Backward(around) {
		h = one(h)
	}
	return h
}

// Routes are handlers by the pattern under which http.ServeMux finds them.
type Routes map[string]http.Handler

// HandleFunc adds a route.
func (r Routes) HandleFunc(pattern string, h http.HandlerFunc) { r[pattern] = h }

// Register adds the routes to a mux, each with middleware around it.
func (r Routes) Register(mux *http.ServeMux, around ...Middleware) {
	for pattern, h := range r {
		mux.Handle(pattern, Chain(h, around...))
	}
}

// NotFound answers what else is below a path of a mux, as a mux of that path alone
// would: with 405 and the methods that there are, or with 404. A handler for all paths
// of the mux would otherwise answer there.
func NotFound(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range methods() {
			other := r.WithContext(r.Context())
			other.Method = method
			if _, pattern := mux.Handler(other); strings.Contains(pattern, " ") {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) == 0 {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	})
}

// methods lists the methods of HTTP in order.
func methods() []string {
	return []string{http.MethodConnect, http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions,
		http.MethodPatch, http.MethodPost, http.MethodPut, http.MethodTrace}
}
