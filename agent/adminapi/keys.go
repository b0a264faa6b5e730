package adminapi

import (
	"net/http"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/router"
)

// routeKeys routes the calls about signing keys, and about all keys and secrets.
func (p *Handler) routeKeys(mux router.Routes) {
	mux.HandleFunc("GET /panel/key", func(w http.ResponseWriter, r *http.Request) {
		k, err := p.Institutions.SigningKey(r.Context())
		p.writeJSON(w, r, k, err)
	})
	mux.HandleFunc("GET /panel/key/test", func(w http.ResponseWriter, r *http.Request) {
		k, err := p.Institutions.TestKey(r.Context())
		p.writeJSON(w, r, k, err)
	})
	mux.HandleFunc("POST /panel/key", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			PEM []byte `json:"pem"`
		}
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		k, err := p.Institutions.ImportKey(r.Context(), q.PEM)
		p.writeJSON(w, r, k, err)
	})
	mux.HandleFunc("POST /panel/key/use", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.KeyPlace
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		k, err := p.Institutions.UseKey(r.Context(), q)
		p.writeJSON(w, r, k, err)
	})
	mux.HandleFunc("GET /panel/keys/test", func(w http.ResponseWriter, r *http.Request) {
		p.writeJSON(w, r, p.Institutions.TestKeys(r.Context()), nil)
	})
	mux.HandleFunc("GET /panel/keys", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Service.Keys(r.Context())
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/keys/secrets/rotate", func(w http.ResponseWriter, r *http.Request) {
		k, err := p.Service.RotateSecretsKey(r.Context())
		p.writeJSON(w, r, k, err)
	})
	mux.HandleFunc("GET /panel/badges/document", func(w http.ResponseWriter, r *http.Request) {
		document, err := p.Service.BadgeDocument(r.Context(), r.URL.Query().Get("address"))
		p.writeJSON(w, r, map[string][]byte{"document": document}, err)
	})
	mux.HandleFunc("POST /panel/keys/badges/rotate", func(w http.ResponseWriter, r *http.Request) {
		k, err := p.Service.RotateCredentialKey(r.Context())
		p.writeJSON(w, r, k, err)
	})
	mux.HandleFunc("POST /panel/key/rotate", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			SelfMade  bool   `json:"self_made"`
			Algorithm string `json:"algorithm"`
		}
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		k, err := p.Institutions.ReplaceKey(r.Context(), q.Algorithm, q.SelfMade)
		p.writeJSON(w, r, k, err)
	})
}
