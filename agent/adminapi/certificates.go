package adminapi

import (
	"net/http"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeCertificateChanges(mux router.Routes) {
	mux.HandleFunc("POST /panel/certificates/{name}/revoke", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Reason string
			Notify bool
		}
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		uuid, err := p.Service.Revoke(r.Context(), r.PathValue("name"), q.Reason, q.Notify)
		p.writeJSON(w, r, map[string]string{"uuid": uuid}, err)
	})
	mux.HandleFunc("POST /panel/certificates/{name}/reissue", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.Amendment
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		uuid, err := p.Service.Reissue(r.Context(), r.PathValue("name"), q)
		p.writeJSON(w, r, map[string]string{"uuid": uuid}, err)
	})
	mux.HandleFunc("POST /panel/certificates/{name}/reshare", func(w http.ResponseWriter, r *http.Request) {
		uuid, err := p.Service.Reshare(r.Context(), r.PathValue("name"))
		p.writeJSON(w, r, map[string]string{"uuid": uuid}, err)
	})
	mux.HandleFunc("DELETE /panel/recipients/{email}", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		done, err := p.Service.EraseRecipient(r.Context(), r.PathValue("email"), q.Get("person"), q.Get("dry_run") == "true")
		p.writeJSON(w, r, done, err)
	})
	mux.HandleFunc("POST /panel/erasures/reapply", func(w http.ResponseWriter, r *http.Request) {
		n, err := p.Service.ReapplyErasures(r.Context())
		p.writeJSON(w, r, map[string]int{"erased": n}, err)
	})
	mux.HandleFunc("POST /panel/adopt", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.AdoptRequest
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		done, err := p.Service.Adopt(r.Context(), q)
		p.writeJSON(w, r, done, err)
	})
	mux.HandleFunc("POST /panel/recipients/{email}/export", p.exportRecipient)
	mux.HandleFunc("POST /panel/recipients/{email}/readmit", func(w http.ResponseWriter, r *http.Request) {
		p.writeJSON(w, r, struct{}{}, p.Service.ReadmitRecipient(r.Context(), r.PathValue("email")))
	})
}

// exportRecipient answers with a zip of what is known of a person. It changes nothing, and is a
// POST because it enters the audit trail.
func (p *Handler) exportRecipient(w http.ResponseWriter, r *http.Request) {
	found, err := p.Service.ExportRecipient(r.Context(), r.PathValue("email"), r.URL.Query().Get("person"))
	if err != nil {
		p.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	if err := found.WriteZip(r.Context(), w); err != nil {
		p.logFailure(r, err)
		panic(http.ErrAbortHandler)
	}
}
