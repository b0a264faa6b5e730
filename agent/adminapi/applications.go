package adminapi

import (
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeApplications(mux router.Routes) {
	const base = "/panel/applications"
	mux.HandleFunc("GET "+base, p.listApplications)
	mux.HandleFunc("GET "+base+"/{name}", func(w http.ResponseWriter, r *http.Request) {
		found, err := p.Service.Application(r.Context(), r.PathValue("name"))
		p.writeJSON(w, r, found, err)
	})
	mux.HandleFunc("GET "+base+"/{name}/evidence", p.sendEvidence)
	mux.HandleFunc("POST "+base, func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.NewApplication
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		made, err := p.Service.SubmitApplication(r.Context(), q)
		p.writeJSON(w, r, made, err)
	})
	mux.HandleFunc("POST "+base+"/{name}/review", func(w http.ResponseWriter, r *http.Request) {
		changed, err := p.Service.ReviewApplication(r.Context(), r.PathValue("name"))
		p.writeJSON(w, r, changed, err)
	})
	mux.HandleFunc("POST "+base+"/{name}/approve", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.ApplicationApproval
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		changed, err := p.Service.ApproveApplication(r.Context(), r.PathValue("name"), q)
		p.writeJSON(w, r, changed, err)
	})
	mux.HandleFunc("POST "+base+"/{name}/reject", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Reason string }
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		changed, err := p.Service.RejectApplication(r.Context(), r.PathValue("name"), q.Reason)
		p.writeJSON(w, r, changed, err)
	})
}

// listApplications answers with a page in the shape of the documented lists.
func (p *Handler) listApplications(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	f := adminclient.ApplicationFilter{Status: q.Get("status"), Email: q.Get("applicant_email"), Search: q.Get("search")}
	var err error
	if f.Page, f.PerPage, err = pageParams(r); err != nil {
		p.Fail(w, r, err)
		return
	}
	found, total, err := p.Service.Applications(r.Context(), f)
	page := client.Page[adminclient.Application]{Data: found, Meta: client.Meta{
		CurrentPage: f.Page, LastPage: max(1, (total+f.PerPage-1)/f.PerPage), Path: r.URL.Path, PerPage: f.PerPage, Total: total,
	}}
	if len(found) > 0 {
		from := (f.Page-1)*f.PerPage + 1
		to := from + len(found) - 1
		page.Meta.From, page.Meta.To = &from, &to
	}
	p.writeJSON(w, r, page, err)
}

func (p *Handler) sendEvidence(w http.ResponseWriter, r *http.Request) {
	stored, f, err := p.Service.Evidence(r.Context(), r.PathValue("name"))
	if err != nil {
		p.Fail(w, r, err)
		return
	}
	defer stored.Close()
	kind := "image/" + f.Format
	if f.Format == "pdf" {
		kind = "application/pdf"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
	if _, err := io.Copy(w, stored); err != nil {
		p.logFailure(r, err)
		panic(http.ErrAbortHandler)
	}
}
