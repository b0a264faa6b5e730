package panel

import (
	"context"
	"net/http"

	"github.com/vecctl/vecctl/pkg/client/staff"
)

// Institutions is who keeps the home's institutions.
type Institutions interface {
	Institutions(ctx context.Context) ([]staff.Institution, error)
	AddInstitution(ctx context.Context, s staff.Settings) (staff.Institution, error)
	UseInstitution(ctx context.Context, name string) (staff.Institution, error)
	Configure(ctx context.Context, s staff.Settings) error
}

func (p *Panel) routeInstitutions(mux *http.ServeMux) {
	mux.HandleFunc("GET /panel/institutions", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Institutions.Institutions(r.Context())
		p.answer(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/institutions", func(w http.ResponseWriter, r *http.Request) {
		var q staff.Settings
		if err := p.read(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		i, err := p.Institutions.AddInstitution(r.Context(), q)
		p.answer(w, r, i, err)
	})
	mux.HandleFunc("POST /panel/institutions/{name}/use", func(w http.ResponseWriter, r *http.Request) {
		i, err := p.Institutions.UseInstitution(r.Context(), r.PathValue("name"))
		p.answer(w, r, i, err)
	})
}
