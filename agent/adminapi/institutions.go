package adminapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/vecctl/vecctl/agent/institutions"
	"github.com/vecctl/vecctl/pkg/client/adminclient"
	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/router"
	"github.com/vecctl/vecctl/pkg/vault"
)

func (p *Handler) routeInstitutions(mux router.Routes) {
	mux.HandleFunc("GET /panel/institutions", func(w http.ResponseWriter, r *http.Request) {
		all, err := p.Institutions.Institutions(r.Context())
		p.writeJSON(w, r, all, err)
	})
	mux.HandleFunc("POST /panel/institutions", func(w http.ResponseWriter, r *http.Request) {
		var q adminclient.Settings
		if err := p.readJSON(r, &q); err != nil {
			p.Fail(w, r, err)
			return
		}
		i, err := p.Institutions.AddInstitution(r.Context(), q)
		p.writeJSON(w, r, i, err)
	})
	mux.HandleFunc("POST /panel/institutions/{name}/use", p.institutionAction((*institutions.Registry).UseInstitution))
	mux.HandleFunc("POST /panel/institutions/{name}/close", p.institutionAction((*institutions.Registry).CloseInstitution))
	mux.HandleFunc("POST /panel/institutions/{name}/reopen", p.institutionAction((*institutions.Registry).ReopenInstitution))
	mux.HandleFunc("DELETE /panel/institutions/{name}", p.institutionAction((*institutions.Registry).RemoveInstitution))
}

// institutionAction answers a call that changes the institution that its path names.
func (p *Handler) institutionAction(act func(*institutions.Registry, context.Context, string) (adminclient.Institution, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i, err := act(p.Institutions, r.Context(), r.PathValue("name"))
		p.writeJSON(w, r, i, err)
	}
}

// SelectInstitution finds the institution that a call of staff is for: the one that its
// header names, else the home's only one. Where there are several and none was named, what
// only reads is for the primary one, and what changes something of an institution is
// refused. A closed institution is only read.
func (p *Handler) SelectInstitution(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one, err := p.institutionOf(r)
		if err == nil && changesInstitution(r) {
			switch {
			case one.ID == 0:
				err = p.Institutions.UnnamedError()
			case !mayChangeClosed(r):
				err = one.CheckOpen()
			}
		}
		if err != nil {
			p.Fail(w, r, err)
			return
		}
		if one.ID == 0 && isReading(r) && !isOfHome(r) {
			one = p.Institutions.Primary()
		}
		if one.ID != 0 {
			outer := r
			r = r.WithContext(institutions.NewContext(r.Context(), one.ID))
			defer func() { outer.Pattern = r.Pattern }() // calls are counted by route
			if p.Institutions.Several() && !isOfHome(r) {
				w.Header().Set(adminclient.InstitutionHeader, one.Slug)
				w.Header().Set(adminclient.InstitutionNameHeader, url.QueryEscape(one.Name))
			}
		}
		next.ServeHTTP(w, r)
	})
}

// institutionOf returns the institution that a call names, or the only one; the zero value
// where none was named.
func (p *Handler) institutionOf(r *http.Request) (vault.Institution, error) {
	name, err := url.QueryUnescape(r.Header.Get(adminclient.InstitutionHeader))
	if err != nil {
		return vault.Institution{}, fault.Newf(fault.Invalid, "the header %s is not escaped as in a query", adminclient.InstitutionHeader)
	}
	if name != "" {
		return p.Institutions.Find(name)
	}
	return p.Institutions.Acting(r.Context()), nil
}

func isReading(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// isOfHome reports whether a call is about the home as a whole, or about an institution
// that its path or body names.
func isOfHome(r *http.Request) bool {
	path := r.URL.Path
	if !strings.HasPrefix(path, BasePath) && !strings.HasPrefix(path, "/business/") {
		return true
	}
	for _, of := range []string{"/panel/authority", "/panel/institutions", "/panel/backup", "/panel/audit", "/panel/erasures", "/panel/keys", "/panel/received", "/panel/retention", "/panel/mails/send"} {
		if path == of || strings.HasPrefix(path, of+"/") {
			return true
		}
	}
	return false
}

// changesInstitution reports whether a call may change something of the institution that it
// is for. Settings may be the home's alone, which their handler finds out.
func changesInstitution(r *http.Request) bool {
	return !isReading(r) && !isOfHome(r) && r.URL.Path != "/panel/settings" && !isRecipientExport(r)
}

// isRecipientExport reports whether a call asks what is known of a person: where no institution
// is named, every institution of the home answers.
func isRecipientExport(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/panel/recipients/") && strings.HasSuffix(r.URL.Path, "/export")
}

// mayChangeClosed reports whether a call is carried out for a closed institution too:
// what somebody has a right to, whenever they ask for it.
func mayChangeClosed(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/panel/recipients/")
}
