// Package reference is the API's description and the page that shows it.
package reference

import (
	_ "embed"
	"net/http"
	"strconv"
)

//go:embed openapi.json
var openAPI []byte

//go:embed docs.html
var page []byte

//go:embed docs.js
var script []byte

//go:embed docs.css
var style []byte

// OpenAPI is the API's description (OpenAPI 3.1).
func OpenAPI() []byte { return openAPI }

// Pages are the files that describe the API, by path. They are for everyone.
func Pages() map[string]http.Handler {
	return map[string]http.Handler{
		"/openapi.json":  file("application/json", openAPI),
		"/docs":          file("text/html; charset=utf-8", page),
		"/docs/docs.js":  file("text/javascript; charset=utf-8", script),
		"/docs/docs.css": file("text/css; charset=utf-8", style),
	}
}

// policy lets the page load what is beside it and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func file(kind string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", policy)
		h.Set("Cache-Control", "no-cache")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		// An error here is the client's connection.
		_, _ = w.Write(body)
	})
}
