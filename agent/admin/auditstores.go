package admin

import (
	"net"
	"net/http"

	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// AuthorityMiddleware writes the acts of certified stores down, once they were done: the
// authority counts calls that it then refuses, so what they change says nothing.
func (t *AuditTrail) AuthorityMiddleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			from = "local"
		}
		// What is done was asked for with the store's key, so its name is its own.
		p := &audit.PendingAction{Action: audit.Action{Actor: "store " + r.Header.Get("X-VendWeave-Store"), Request: r.Method + " " + r.URL.Path, RemoteAddr: from}, At: t.Now()}
		next.ServeHTTP(&beforeResponse{ResponseWriter: w, done: func() { t.record(audit.NewContext(r.Context(), p)) }}, r)
	})
}
