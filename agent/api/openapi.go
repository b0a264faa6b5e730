package api

import (
	_ "embed" // the description and its page
	"net/http"
	"strconv"
)

//go:embed openapi.json
var description []byte

//go:embed docs.html
var docsPage []byte

//go:embed docs.js
var docsScript []byte

//go:embed docs.css
var docsStyle []byte

// OpenAPI returns the API's description (OpenAPI 3.1).
func OpenAPI() []byte { return description }

// descriptionHandlers are the files that describe the API, by path. They are for everyone.
func descriptionHandlers() map[string]http.Handler {
	return map[string]http.Handler{
		"/openapi.json":  staticHandler("application/json", description),
		"/docs":          staticHandler("text/html; charset=utf-8", docsPage),
		"/docs/docs.js":  staticHandler("text/javascript; charset=utf-8", docsScript),
		"/docs/docs.css": staticHandler("text/css; charset=utf-8", docsStyle),
	}
}

// securityPolicy lets the page load what is beside it and nothing else.
const securityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func staticHandler(kind string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", securityPolicy)
		h.Set("Cache-Control", "no-cache")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		// An error here is the client's connection.
		_, _ = w.Write(body)
	})
}
