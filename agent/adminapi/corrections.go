package adminapi

import (
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeCorrections(mux router.Routes) {
	mux.HandleFunc("GET /panel/corrections", func(w http.ResponseWriter, r *http.Request) {
		found, err := p.Service.Corrections(r.Context(), r.URL.Query().Has("all"))
		p.writeJSON(w, r, found, err)
	})
	mux.HandleFunc("POST /panel/corrections/{id}/done", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
		if err != nil {
			p.Fail(w, r, fault.Newf(fault.Invalid, "%q is not the number of a correction", r.PathValue("id")))
			return
		}
		done, err := p.Service.FinishCorrection(r.Context(), id)
		p.writeJSON(w, r, done, err)
	})
}
