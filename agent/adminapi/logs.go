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
	mux.HandleFunc("POST /panel/logs/issued", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Next uint64 `json:"next"`
		}
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		done, err := p.Service.AddIssued(r.Context(), q.Next)
		p.writeJSON(w, r, done, err)
	})
	mux.HandleFunc("GET /panel/certificates/{name}/log-proof", func(w http.ResponseWriter, r *http.Request) {
		proof, err := p.Service.LogProof(r.Context(), r.PathValue("name"))
		p.writeJSON(w, r, map[string]string{"proof": string(proof)}, err)
	})
	mux.HandleFunc("POST /panel/logs/new", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Service.NewLog(r.Context())
		p.writeJSON(w, r, all, err)
	})
}
