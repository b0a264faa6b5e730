package httpserver

import "net/http"

// StrictTransport tells browsers that came over TLS to come back over TLS alone (RFC 6797).
// Behind a proxy that has the certificate, it is the proxy that says so.
func StrictTransport(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
