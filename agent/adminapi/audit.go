package adminapi

import (
	"cmp"
	"context"
	"net/http"
	"strconv"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/vault/audit"
)

// AuditTrail is where acts of staff are written down.
type AuditTrail interface {
	// Acts is a piece of the audit trail, behind the entry with a number.
	Acts(ctx context.Context, after uint64) ([]audit.Entry, error)
}

func (p *Handler) routeAudit(mux *http.ServeMux) {
	mux.HandleFunc("GET /panel/audit", func(w http.ResponseWriter, r *http.Request) {
		after, err := strconv.ParseUint(cmp.Or(r.FormValue("after"), "0"), 10, 64)
		if err != nil {
			p.Fail(w, r, fault.New(fault.Invalid, "after is the number of an entry"))
			return
		}
		found, err := p.AuditTrail.Acts(r.Context(), after)
		p.writeJSON(w, r, found, err)
	})
}
