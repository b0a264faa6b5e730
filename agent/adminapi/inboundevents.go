package adminapi

import (
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
)

func (p *Handler) routeInboundEvents(mux router.Routes) {
	mux.HandleFunc("GET /panel/received", func(w http.ResponseWriter, r *http.Request) {
		before, err := uintParam(r, "before")
		if err != nil {
			p.Fail(w, r, err)
			return
		}
		n, err := uintParam(r, "limit")
		if err != nil {
			p.Fail(w, r, err)
			return
		}
		all, err := p.Service.ReceivedEvents(r.Context(), before, int(n))
		p.writeJSON(w, r, all, err)
	})
}

// uintParam reads a number of a query; 0 where it is not given.
func uintParam(r *http.Request, name string) (uint64, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0, fault.Newf(fault.Invalid, "%s: %q is not a number", name, text)
	}
	return n, nil
}
