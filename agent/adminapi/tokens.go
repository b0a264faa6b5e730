package adminapi

import (
	"context"
	"net/http"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// Tokens is who keeps API tokens.
type Tokens interface {
	CreateToken(ctx context.Context, q adminclient.NewToken) (adminclient.Token, error)
	Tokens(ctx context.Context) ([]adminclient.Token, error)
	RevokeToken(ctx context.Context, id string) (adminclient.Token, error)
}

func (p *Handler) routeTokens(mux *http.ServeMux) {
	mux.HandleFunc("GET /panel/tokens", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Tokens.Tokens(r.Context())
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/tokens", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.NewToken
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		t, err := p.Tokens.CreateToken(r.Context(), q)
		p.writeJSON(w, r, t, err)
	})
	mux.HandleFunc("DELETE /panel/tokens/{id}", func(w http.ResponseWriter, r *http.Request) {
		t, err := p.Tokens.RevokeToken(r.Context(), r.PathValue("id"))
		p.writeJSON(w, r, t, err)
	})
}
