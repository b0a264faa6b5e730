package adminapi

import (
	"net/http"
	"time"

	"github.com/vecctl/vecctl/pkg/client"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
)

// routeSeals routes the calls about time stamps that end.
func (p *Handler) routeSeals(mux router.Routes) {
	mux.HandleFunc("GET /panel/seals", func(w http.ResponseWriter, r *http.Request) {
		f, err := sealFilter(r)
		if err != nil {
			p.Fail(w, r, err)
			return
		}
		report, err := p.Service.SealsDue(r.Context(), f)
		p.writeJSON(w, r, report, err)
	})
	mux.HandleFunc("POST /panel/seals/renew", func(w http.ResponseWriter, r *http.Request) {
		f, err := sealFilter(r)
		if err != nil {
			p.Fail(w, r, err)
			return
		}
		serveStream(p, w, r, func(progress func(client.Progress)) (adminclient.SealReport, error) {
			return p.Service.RenewSeals(r.Context(), f, progress)
		})
	})
}

func sealFilter(r *http.Request) (adminclient.SealFilter, error) {
	q := r.URL.Query()
	f := adminclient.SealFilter{Certificate: q.Get("certificate")}
	if f.Certificate != "" {
		return f, nil
	}
	var err error
	if f.Within, err = time.ParseDuration(q.Get("within")); err != nil || f.Within < 0 {
		return f, fault.New(fault.Invalid, "within is a length of time such as 2160h")
	}
	return f, nil
}
