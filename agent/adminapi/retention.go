package adminapi

import (
	"net/http"

	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeRetention(mux router.Routes) {
	mux.HandleFunc("GET /panel/retention", func(w http.ResponseWriter, r *http.Request) {
		p.writeJSON(w, r, p.Service.Retention(r.Context()), nil)
	})
	mux.HandleFunc("POST /panel/retention/run", func(w http.ResponseWriter, r *http.Request) {
		p.writeJSON(w, r, p.Service.RunRetention(r.Context()), nil)
	})
}
