package agent

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/vecctl/vecctl/pkg/vault/act"
)

// auditedPath is a call's path as it is written down: who was erased is not kept.
func auditedPath(path string) string {
	const recipients = "/panel/recipients/"
	if strings.HasPrefix(path, recipients) {
		return recipients + "(erased)"
	}
	return path
}

// auditedStore writes the acts of certified stores down, once they were done: the
// authority counts calls that it then refuses, so what they change says nothing.
func (a *Agent) auditedStore(next http.Handler) http.Handler {
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
		p := &act.Pending{Act: act.Act{Who: "store " + r.Header.Get("X-VendWeave-Store"), What: r.Method + " " + r.URL.Path, From: from}, At: a.Now()}
		next.ServeHTTP(&answered{ResponseWriter: w, done: func() {
			if err := a.store.NoteAct(act.Into(context.WithoutCancel(r.Context()), p)); err != nil {
				a.Log.Error("an act could not be written down", "error", err)
			}
		}}, r)
	})
}
