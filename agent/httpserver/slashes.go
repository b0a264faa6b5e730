package httpserver

import (
	"net/http"
	"regexp"
	"strings"
)

var repeatedSlashes = regexp.MustCompile(`/{2,}`)

// CollapseSlashes takes several slashes in a row for one, as web servers before PHP programs
// do. A client whose base URL ends with one would be sent elsewhere otherwise, which
// few follow with an upload. A slash at the end of a call of the Business API does not count.
func CollapseSlashes(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		trailing := strings.HasSuffix(r.URL.Path, "/") && strings.Contains(r.URL.Path, "/business/")
		if !trailing && !strings.Contains(r.URL.Path, "//") {
			next.ServeHTTP(w, r)
			return
		}
		inner, address := r.WithContext(r.Context()), *r.URL
		address.Path = repeatedSlashes.ReplaceAllString(r.URL.Path, "/")
		address.RawPath = repeatedSlashes.ReplaceAllString(r.URL.RawPath, "/")
		if trailing {
			address.Path, address.RawPath = strings.TrimRight(address.Path, "/"), strings.TrimRight(address.RawPath, "/")
		}
		inner.URL = &address
		next.ServeHTTP(w, inner)
		r.Pattern = inner.Pattern // calls are counted by route
	})
}
