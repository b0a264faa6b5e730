package panel

import (
	"context"
	"net/http"

	"github.com/vecctl/vecctl/pkg/client"
)

// Institutions is who keeps the home's institutions.
type Institutions interface {
	Institutions(ctx context.Context) ([]client.Institution, error)
	AddInstitution(ctx context.Context, s client.Settings) (client.Institution, error)
	UseInstitution(ctx context.Context, name string) (client.Institution, error)
	Configure(ctx context.Context, s client.Settings) error
}

func (p *Panel) routeInstitutions(mux *http.ServeMux) {
	mux.HandleFunc("GET /panel/institutions", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Institutions.Institutions(r.Context())
		p.answer(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/institutions", func(w http.ResponseWriter, r *http.Request) {
		var q client.Settings
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
