package adminapi

import (
	"context"
	"net/http"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
)

// CertificateChanges is who takes certificates back and corrects them. Each act answers
// with the UUID of the certificate that it left or made.
type CertificateChanges interface {
	Revoke(ctx context.Context, name, reason string, tell bool) (uuid string, err error)
	Reissue(ctx context.Context, name string, m adminclient.Amendment) (uuid string, err error)
	Reshare(ctx context.Context, name string) (uuid string, err error)
}

// Erasures is who destroys what was issued to an address.
type Erasures interface {
	EraseRecipient(ctx context.Context, email string) (adminclient.Erasure, error)
}

func (p *Handler) routeCertificateChanges(mux *http.ServeMux) {
	mux.HandleFunc("POST /panel/certificates/{name}/revoke", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Reason string
			Notify bool
		}
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		uuid, err := p.CertificateChanges.Revoke(r.Context(), r.PathValue("name"), q.Reason, q.Notify)
		p.writeJSON(w, r, map[string]string{"uuid": uuid}, err)
	})
	mux.HandleFunc("POST /panel/certificates/{name}/reissue", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.Amendment
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		uuid, err := p.CertificateChanges.Reissue(r.Context(), r.PathValue("name"), q)
		p.writeJSON(w, r, map[string]string{"uuid": uuid}, err)
	})
	mux.HandleFunc("POST /panel/certificates/{name}/reshare", func(w http.ResponseWriter, r *http.Request) {
		uuid, err := p.CertificateChanges.Reshare(r.Context(), r.PathValue("name"))
		p.writeJSON(w, r, map[string]string{"uuid": uuid}, err)
	})
	mux.HandleFunc("DELETE /panel/recipients/{email}", func(w http.ResponseWriter, r *http.Request) {
		done, err := p.Erasures.EraseRecipient(r.Context(), r.PathValue("email"))
		p.writeJSON(w, r, done, err)
	})
}
