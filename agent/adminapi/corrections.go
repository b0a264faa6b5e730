package adminapi

import (
	"context"
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
)

// Corrections is who keeps visitors' requests for corrections.
type Corrections interface {
	Corrections(ctx context.Context, all bool) ([]adminclient.CorrectionRequest, error)
	FinishCorrection(ctx context.Context, id uint64) (adminclient.CorrectionRequest, error)
}

func (p *Handler) routeCorrections(mux *http.ServeMux) {
	mux.HandleFunc("GET /panel/corrections", func(w http.ResponseWriter, r *http.Request) {
		found, err := p.Corrections.Corrections(r.Context(), r.URL.Query().Has("all"))
		p.writeJSON(w, r, found, err)
	})
	mux.HandleFunc("POST /panel/corrections/{id}/done", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
		if err != nil {
			p.Fail(w, r, fault.Newf(fault.Invalid, "%q is no correction's number", r.PathValue("id")))
			return
		}
		done, err := p.Corrections.FinishCorrection(r.Context(), id)
		p.writeJSON(w, r, done, err)
	})
}
