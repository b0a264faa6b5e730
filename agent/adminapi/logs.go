package adminapi

import (
	"net/http"

	"github.com/vecctl/vecctl/pkg/router"
)

// routeLogs routes the calls about the logs of issued certificates.
func (p *Handler) routeLogs(mux router.Routes) {
	mux.HandleFunc("GET /panel/logs", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Service.Logs(r.Context())
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/logs/continue", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Service.ContinueLogs(r.Context())
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/logs/new", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Service.NewLog(r.Context())
		p.writeJSON(w, r, all, err)
	})
}
