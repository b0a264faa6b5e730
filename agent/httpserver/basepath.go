package httpserver

import (
	"net/http"
	"net/url"
	"strings"
)

// StripBasePath serves the same below the path of the base URL: proxies pass
// that path on or take it away. A request whose address is its own stays as it is.
func StripBasePath(baseURL func() string, isOwn func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			base, inner := strings.TrimRight(baseURL(), "/"), r
			hasPath := strings.Count(base, "/") > len("//")
			if hasPath && !isOwn(r) {
				inner = withoutBasePath(r, base)
			}
			next.ServeHTTP(w, inner)
			r.Pattern = inner.Pattern // calls are counted by route
		})
	}
}

// withoutBasePath is a request without the path of a base URL.
func withoutBasePath(r *http.Request, baseURL string) *http.Request {
	base, err := url.Parse(baseURL)
	if err != nil {
		return r
	}
	path := strings.TrimRight(base.Path, "/")
	rest, ok := strings.CutPrefix(r.URL.Path, path)
	if path == "" || !ok || !strings.HasPrefix(rest, "/") {
		return r
	}
	inner, address := r.WithContext(r.Context()), *r.URL
	address.Path, address.RawPath = rest, strings.TrimPrefix(r.URL.RawPath, strings.TrimRight(base.EscapedPath(), "/"))
	inner.URL = &address
	return inner
}
