package adminapi

import (
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeFailures(mux router.Routes) {
	mux.HandleFunc("GET /panel/failures", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Service.Failures(r.Context(), r.URL.Query().Get("batch_id"))
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("GET /panel/failures/{code}", func(w http.ResponseWriter, r *http.Request) {
		page, perPage, err := pageParams(r)
		if err != nil {
			p.Fail(w, r, err)
			return
		}
		found, err := p.Service.FailedFor(r.Context(), r.PathValue("code"), r.URL.Query().Get("after"), page, perPage)
		p.writeJSON(w, r, found, err)
	})
	mux.HandleFunc("POST /panel/failures/retry", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.Selection
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		report, err := p.Service.RetrySelected(r.Context(), q)
		p.writeJSON(w, r, report, err)
	})
	mux.HandleFunc("GET /panel/certificates/{name}/story", func(w http.ResponseWriter, r *http.Request) {
		s, err := p.Service.History(r.Context(), r.PathValue("name"))
		p.writeJSON(w, r, s, err)
	})
	mux.HandleFunc("GET /panel/issued/{reference}", func(w http.ResponseWriter, r *http.Request) {
		c, err := p.Service.Issued(r.Context(), r.PathValue("reference"))
		p.writeJSON(w, r, c, err)
	})
}

// pageParams reads which page of a list is asked for; by default the first one of 15.
func pageParams(r *http.Request) (page, perPage int, err error) {
	page, err1 := intParam(r, "page", 1, 1<<40)
	perPage, err2 := intParam(r, "per_page", 15, 100)
	if err1 != nil || err2 != nil {
		return 0, 0, fault.New(fault.Invalid, "page and per_page are whole numbers from 1; per_page is at most 100")
	}
	return page, perPage, nil
}

// intParam reads a number of a query; without one it is usual.
func intParam(r *http.Request, name string, usual, most int) (int, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err == nil && (n < 1 || n > most) {
		err = strconv.ErrRange
	}
	return n, err
}
