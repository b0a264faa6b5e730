package adminapi

import (
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeMails(mux router.Routes) {
	mux.HandleFunc("GET /panel/mails", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		f := adminclient.MailFilter{State: q.Get("state"), Batch: q.Get("batch_id"), Certificate: q.Get("certificate"), Bounced: q.Get("bounced") == "true"}
		f.Limit, _ = strconv.Atoi(q.Get("limit")) // anything else is all
		all, err := p.Service.Mails(r.Context(), f)
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("GET /panel/mails/preview", func(w http.ResponseWriter, r *http.Request) {
		m, err := p.Service.PreviewMail(r.Context(), r.URL.Query().Get("template"), r.URL.Query().Get("certificate"))
		p.writeJSON(w, r, m, err)
	})
	mux.HandleFunc("POST /panel/mails/resend", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Name, To string }
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		m, err := p.Service.ResendMail(r.Context(), q.Name, q.To)
		p.writeJSON(w, r, m, err)
	})
	mux.HandleFunc("POST /panel/mails/send", func(w http.ResponseWriter, r *http.Request) {
		n, err := p.Service.FlushMails(r.Context())
		p.writeJSON(w, r, map[string]int{"waiting": n}, err)
	})
	mux.HandleFunc("POST /panel/mails/cancel", func(w http.ResponseWriter, r *http.Request) {
		var q struct {
			Batch string `json:"batch_id"`
		}
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		n, err := p.Service.CancelMails(r.Context(), q.Batch)
		p.writeJSON(w, r, map[string]int{"cancelled": n}, err)
	})
	mux.HandleFunc("POST /panel/mails/{id}/cancel", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
		if err != nil {
			p.Fail(w, r, fault.New(fault.NotFound, "Mail not found."))
			return
		}
		m, err := p.Service.CancelMail(r.Context(), id)
		p.writeJSON(w, r, m, err)
	})
}
