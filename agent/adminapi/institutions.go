package adminapi

import (
	"net/http"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeInstitutions(mux router.Routes) {
	mux.HandleFunc("GET /panel/institutions", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Institutions.Institutions(r.Context())
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/institutions", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.Settings
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		i, err := p.Institutions.AddInstitution(r.Context(), q)
		p.writeJSON(w, r, i, err)
	})
	mux.HandleFunc("POST /panel/institutions/{name}/use", func(w http.ResponseWriter, r *http.Request) {
		i, err := p.Institutions.UseInstitution(r.Context(), r.PathValue("name"))
		p.writeJSON(w, r, i, err)
	})
}
