package adminapi

import (
	"net/http"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeTokens(mux router.Routes) {
	mux.HandleFunc("GET /panel/tokens", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Service.Tokens(r.Context())
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/tokens", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.NewToken
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		t, err := p.Service.CreateToken(r.Context(), q)
		p.writeJSON(w, r, t, err)
	})
	mux.HandleFunc("DELETE /panel/tokens/{id}", func(w http.ResponseWriter, r *http.Request) {
		t, err := p.Service.RevokeToken(r.Context(), r.PathValue("id"))
		p.writeJSON(w, r, t, err)
	})
}
