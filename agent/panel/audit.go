package panel

import (
	"cmp"
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/pkg/fault"
)

func (p *Panel) routeAudit(mux *http.ServeMux) {
	mux.HandleFunc("GET /panel/audit", func(w http.ResponseWriter, r *http.Request) {
		after, err := strconv.ParseUint(cmp.Or(r.FormValue("after"), "0"), 10, 64)
		if err != nil {
			p.Fail(w, r, fault.New(fault.Invalid, "after is the number of an entry"))
			return
		}
		found, err := p.Agent.Acts(r.Context(), after)
		p.answer(w, r, found, err)
	})
}
